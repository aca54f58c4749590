"""Makes OpenWrt packages and feeds without OpenWrt's build system. `scripts/package` is the program; README.md the map."""
