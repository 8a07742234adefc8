"""The Postgres server of a run.

choice            which server is used, and why: start here (`choose_server`, `start_server`)
local             a server of this machine's programs; binaries and embedded find them
image             a server in a container
url               databases on a server that the user runs; remote and socket_proxy lead to it
server            what all of them provide: `Server`
supervisor        the process that stops the server and removes its files, whatever happens to us
"""
