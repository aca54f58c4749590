# shellcheck shell=sh
# Stands in for OpenWrt's /lib/functions.sh: what package scripts call. Own words.

# The init scripts among a package's files.
_init_scripts() {
	sed -n 's|^/etc/init.d/||p' "/usr/lib/opkg/info/$1.list"
}

# Enables and starts what a package brought: `default_postinst SCRIPT`.
default_postinst() {
	_package=$(basename "$1" .postinst)
	for _script in $(_init_scripts "$_package"); do
		"/etc/init.d/$_script" enable
		"/etc/init.d/$_script" start
	done
}

# Disables and stops it.
default_prerm() {
	_package=$(basename "$1" .prerm)
	for _script in $(_init_scripts "$_package"); do
		"/etc/init.d/$_script" disable
		[ "$PKG_UPGRADE" = 1 ] || "/etc/init.d/$_script" stop
	done
}
