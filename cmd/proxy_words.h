/* proxy_words.h - what proxy.c and proxy_http.c share. */
#ifndef PROXY_WORDS_H
#define PROXY_WORDS_H

#include "proxy.h"

/* It cannot be: the reason. */
void proxy_refuse(struct proxy_talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to what is sent next. */
void proxy_put(struct proxy_talk *t, const void *data, size_t n);

/* Calls next once there are so many bytes of the answer. */
void proxy_wait_for(struct proxy_talk *t, size_t bytes, void (*next)(struct proxy_talk *t));

/* proxy_begin's part for HTTP. */
void proxy_http_ask(struct proxy_talk *t, bool credentials);

#endif
