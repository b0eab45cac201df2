/* redial.c - connecting to who may not be there yet (--retry). */
#include "cmd.h"

/* Whether what has failed may succeed later. */
static bool may_come(void)
{
    return skt_error_record()->domain != SKT_ERROR_ARGUMENT;
}

static int give_up(const char *sentence)
{
    cmd_say("%s", sentence);
    return STATUS_FAILED;
}

/* Tries until there is somebody, within --timeout for all attempts together.  The first failure is told, and the last.
 */
static int dial_again(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    char sentence[1024];
    skt_deadline deadline = skt_deadline_begin(settings->timeout);
    int status = cmd_try_dial(address, settings, s);
    if (status < 0 && may_come() && !skt_timed_out())
        cmd_say("%s; trying again", skt_strerror());
    while (status < 0 && may_come()) {
        snprintf(sentence, sizeof sentence, "%s", skt_strerror());
        if (skt_sleep(settings->retry) < 0)
            break;
        status = cmd_try_dial(address, settings, s);
    }
    skt_deadline_end(deadline);
    return status < 0 ? may_come() ? give_up(sentence) : cmd_fail() : status;
}

int cmd_dial_until(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    return settings->retry < 0 ? cmd_dial(address, settings, s) : dial_again(address, settings, s);
}
