"""The sandbox of the project's code: one Unix socket, an unprivileged user, and no process survives the run.

command           the command line that runs another command in the sandbox: start here
options           what that command may do
__main__          the sandbox: it stays as the command's parent, and ends all that the command started
child_process     starts the command, and ends it with its descendants; the Postgres supervisor uses it too
process_end       waits for the end of a process that the gate has started, and says how it ended
seccomp           the filter of system calls, set for a process
filter_program    what the filter does: Unix sockets only, or for the installer all but these
system_calls      numbers and kinds of system calls
connect_broker    answers the filter's questions: connects the command to the sockets that it may connect to
seccomp_listener  the questions of the kernel, and the answers
calling_process   what is known about a process that asks
socket_calls      connect() and bind(), carried out for it
own_sockets       which sockets the command's processes have made
signal_guard      which processes the command may send signals to
landlock          where the command may write
capabilities      what root gives up where it has no other account for the command
writable_folders  the list of those, for the project's code
user              which account runs the project's code where the gate is root

The sandbox is started as `python -I -S migration_gate/sandbox OPTIONS COMMAND …`, uses the standard library
only, and has to start in milliseconds. It ends when the gate ends, and ends the command with all its
descendants. The filter is set before the command's interpreter starts, needs no privileges, and is inherited
by every child. If the sandbox cannot carry out each connect() for the command, the command does not run where
another Postgres server has a socket on this machine; elsewhere its answer begins with a note that says so.
"""
