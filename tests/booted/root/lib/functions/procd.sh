# shellcheck shell=sh
# Stands in for procd: a service is a directory below /run/services, an instance of it one below that, with a file for
# each parameter. `supervise` runs an instance. Own words, and only what init scripts of ours call.

SERVICES=/run/services

procd_open_service() {
	_service=$1
	_instance=0
	rm -rf "$SERVICES/.new"
	mkdir -p "$SERVICES/.new" "$SERVICES/$_service"
}

procd_open_instance() {
	_instance=$((_instance + 1))
	mkdir "$SERVICES/.new/$_instance"
}

procd_set_param() {
	_parameter=$1
	shift
	printf '%s\n' "$@" >"$SERVICES/.new/$_instance/$_parameter"
	[ "$_parameter" != file ] || cat "$@" | md5sum >"$SERVICES/.new/$_instance/digest"
}

procd_append_param() {
	_parameter=$1
	shift
	printf '%s\n' "$@" >>"$SERVICES/.new/$_instance/$_parameter"
}

procd_close_instance() { return 0; }
procd_open_trigger() { return 0; }
procd_close_trigger() { return 0; }
procd_add_reload_trigger() { printf '%s\n' "$@" >"$SERVICES/.new/reload"; }

# What is as it was goes on, what has changed or is new is started, what is no longer named is ended.
procd_close_service() {
	for _old in "$SERVICES/$_service"/[0-9]*; do
		[ -d "$_old" ] || continue
		_fresh=$SERVICES/.new/${_old##*/}
		if _same "$_old" "$_fresh"; then
			rm -r "$_fresh"
		else
			_end "$_old"
		fi
	done
	[ ! -e "$SERVICES/.new/reload" ] || mv "$SERVICES/.new/reload" "$SERVICES/$_service/"
	for _fresh in "$SERVICES/.new"/[0-9]*; do
		[ -d "$_fresh" ] || continue
		_now=$SERVICES/$_service/${_fresh##*/}
		mv "$_fresh" "$_now"
		setsid /usr/libexec/supervise "$_now" </dev/null >/dev/null 2>&1 &
	done
	rmdir "$SERVICES/.new"
}

procd_kill() {
	for _old in "$SERVICES/$1"/[0-9]*; do
		[ ! -d "$_old" ] || _end "$_old"
	done
}

procd_running() { [ -n "$(_pids "$1")" ]; }

procd_send_signal() {
	_found=$(_pids "$1")
	# shellcheck disable=SC2086  # several process ids
	[ -n "$_found" ] && kill -"${3:-HUP}" $_found
}

_pids() {
	for _pid in "$SERVICES/$1"/[0-9]*/pid; do
		[ -e "$_pid" ] && kill -0 "$(cat "$_pid")" 2>/dev/null && cat "$_pid"
	done
	return 0
}

# Whether two instances have the same command and the same contents of the files they depend on.
_same() {
	[ -d "$2" ] && cmp -s "$1/command" "$2/command" && cmp -s "$1/digest" "$2/digest" &&
		kill -0 "$(cat "$1/supervisor" 2>/dev/null)" 2>/dev/null
}

# As procd does: TERM, and KILL for what is still there after five seconds.
_end() {
	touch "$1/stopping"
	_tries=0
	while [ -e "$1/supervisor" ] && kill -0 "$(cat "$1/supervisor")" 2>/dev/null; do
		_tries=$((_tries + 1))
		if [ "$_tries" = 1 ]; then
			kill -TERM "$(cat "$1/pid")" 2>/dev/null
		elif [ "$_tries" = 250 ]; then
			kill -KILL "$(cat "$1/pid")" 2>/dev/null
		fi
		usleep 20000
	done
	rm -rf "$1"
}
