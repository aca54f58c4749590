# Stands for the file of this name in OpenWrt's build system. It builds nothing: it writes each field of a package into
# a file DESCRIPTION/FIELD, and installs what is built already into INSTALLED.
# From the command line: DESCRIPTION, INSTALLED, PKG_BUILD_DIR (holds files/), PKG_INSTALL_DIR (holds bin/).

# Both know Package/NAME and Package/NAME/THING.
fields:=SECTION CATEGORY TITLE URL DEPENDS PKGARCH
texts:=description conffiles preinst postinst prerm postrm
shared:=PKG_NAME PKG_VERSION PKG_RELEASE PKG_MAINTAINER PKG_LICENSE PKG_LICENSE_FILES

define BuildPackage
  $(eval $(Package/$(1)))
  $(foreach field,$(fields) $(shared),$(file >$(DESCRIPTION)/$(field),$($(field))))
  $(foreach text,$(texts),$(if $(Package/$(1)/$(text)),$(file >$(DESCRIPTION)/$(text),$(Package/$(1)/$(text)))))

  .PHONY: install
  install:
	$(call Package/$(1)/install,$(INSTALLED))
endef
