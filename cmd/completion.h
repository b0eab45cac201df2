/* completion.h - what a shell needs to complete the words of skt. */
#ifndef CMD_COMPLETION_H
#define CMD_COMPLETION_H

/* Prints the script for a shell (enum cmd_shell); returns the exit status. */
int cmd_print_completion(int shell);

#endif
