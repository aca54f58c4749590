"""Makes OpenWrt packages and feeds without OpenWrt's build system. See README.md here; `scripts/package` runs it."""
