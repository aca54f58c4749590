# Stands for the file of this name in OpenWrt's build system: what our packages' Makefiles use of it, and no more.
INCLUDE_DIR:=$(TOPDIR)/include

INSTALL_DIR:=install -d -m 0755
INSTALL_BIN:=install -m 0755
INSTALL_DATA:=install -m 0644
INSTALL_CONF:=install -m 0600
TAR:=tar
