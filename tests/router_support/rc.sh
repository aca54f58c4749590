# What an init script finds on a router, in a few lines: it is read in, and the function named by the action is called.
# What it asks of procd is written to $CALLS, a line each; the test does it when this has ended.
# usage: ash rc.sh SCRIPT ACTION
# shellcheck shell=dash
action=$2

note() {
	echo "$*" >>"$CALLS"
}

procd_open_instance() {
	note instance
}
procd_set_param() {
	note param "$@"
}
procd_close_instance() {
	:
}
procd_add_reload_trigger() {
	note trigger "$@"
}
procd_send_signal() {
	note signal "$@"
}

start() {
	start_service
	service_triggers
	note set
}
stop() {
	stop_service
	note delete
}
restart() {
	stop
	start
}
boot() {
	start
}
shutdown() {
	stop
}
reload() {
	reload_service
}

# shellcheck disable=SC1090  # the script under test
. "$1"
"$action"
