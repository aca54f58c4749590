# Stands for the file of this name in OpenWrt's packages feed: the program is built already, for an architecture that is
# known.
RUST_ARCH_DEPENDS:=

define RustBinPackage
endef
