# Stands for the file of this name in OpenWrt's build system. It builds nothing: it writes each field of a package into
# a file DESCRIPTION/PACKAGE/FIELD, and installs what is built already into INSTALLED/PACKAGE.
# From the command line: DESCRIPTION, INSTALLED, PKG_BUILD_DIR (holds files/), PKG_INSTALL_DIR (holds bin/), PYTHON.

# Both know Package/NAME and Package/NAME/THING.
fields:=SECTION CATEGORY TITLE URL DEPENDS PKGARCH
texts:=description conffiles preinst postinst prerm postrm
shared:=PKG_NAME PKG_VERSION PKG_RELEASE PKG_MAINTAINER PKG_LICENSE PKG_LICENSE_FILES

.PHONY: install

define BuildPackage
  $(foreach field,$(fields),$(eval $(field):=))
  $(eval $(Package/$(1)))
  $(shell mkdir -p $(DESCRIPTION)/$(1) $(INSTALLED)/$(1))
  $(foreach field,$(fields) $(shared),$(file >$(DESCRIPTION)/$(1)/$(field),$($(field))))
  $(foreach text,$(texts),$(if $(Package/$(1)/$(text)),$(file >$(DESCRIPTION)/$(1)/$(text),$(Package/$(1)/$(text)))))

  .PHONY: install-$(1)
  install: install-$(1)
  install-$(1):
	$(call Package/$(1)/install,$(INSTALLED)/$(1))
endef
