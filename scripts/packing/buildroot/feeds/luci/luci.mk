# Stands for the file of this name in OpenWrt's LuCI feed: the package of an app, and one of each of its translations.
# Beside the Makefile lie htdocs/ (what the web server shows), root/ (the rest, as on the router) and po/LANGUAGE/*.po.
# What OpenWrt's packs with jsmin is shortened here; translations have the app's own version.
include $(INCLUDE_DIR)/package.mk

PKG_NAME:=$(notdir $(CURDIR))
luci_base:=$(PKG_NAME:luci-app-%=%)
luci_languages:=$(sort $(filter-out templates,$(notdir $(wildcard po/*))))
luci_i18n:=/usr/lib/lua/luci/i18n

# By the folder below po/: what LuCI calls it, and how it calls itself.
luci_code.pt_BR:=pt-br
luci_name.pt_BR:=Português do Brasil (Brazilian Portuguese)

# A checkout keeps of a file's mode whether it is run, and nothing else.
define luci_modes
	find $(1) -type d -exec chmod 0755 {} +
	find $(1) -type f -perm -0100 -exec chmod 0755 {} +
	find $(1) -type f ! -perm -0100 -exec chmod 0644 {} +
endef

define Package/$(PKG_NAME)
  SECTION:=luci
  TITLE:=$(LUCI_TITLE)
  DEPENDS:=$(LUCI_DEPENDS)
  PKGARCH:=$(LUCI_PKGARCH)
  URL:=$(LUCI_URL)
endef

define Package/$(PKG_NAME)/description
  $(LUCI_DESCRIPTION)
endef

define Package/$(PKG_NAME)/install
	$(INSTALL_DIR) $(1)/www
	cp -R htdocs/. $(1)/www/
	cp -R root/. $(1)/
	find $(1)/www -name '*.js' -o -name '*.css' | xargs $(PYTHON) $(TOPDIR)/../shorten.py
	$(call luci_modes,$(1))
endef

# LuCI keeps the menu and the modules in memory, and rpcd the rights.
define Package/$(PKG_NAME)/postinst
#!/bin/sh
[ -z "$${IPKG_INSTROOT}" ] || exit 0
rm -rf /tmp/luci-indexcache* /tmp/luci-modulecache
[ ! -x /etc/init.d/rpcd ] || /etc/init.d/rpcd reload
exit 0
endef

# $(1): the folder below po/; $(2): the package.
define luci_translation
  define Package/$(2)
    SECTION:=luci
    TITLE:=$(PKG_NAME) - $(luci_code.$(1)) translation
    DEPENDS:=$(PKG_NAME)
    PKGARCH:=all
    URL:=$(LUCI_URL)
  endef

  define Package/$(2)/description
    $(PKG_NAME) in the language $(luci_name.$(1)).
  endef

  define Package/$(2)/install
	$$(INSTALL_DIR) $$(1)$(luci_i18n) $$(1)/etc/uci-defaults
	echo "uci set luci.languages.$(subst -,_,$(luci_code.$(1)))='$(luci_name.$(1))'; uci commit luci" \
		> $$(1)/etc/uci-defaults/$(2)
	$(foreach po,$(wildcard po/$(1)/*.po),$(PYTHON) $(TOPDIR)/../lmo.py $(po) \
		$$(1)$(luci_i18n)/$(basename $(notdir $(po))).$(luci_code.$(1)).lmo;)
	$$(call luci_modes,$$(1))
  endef

  luci_packages+=$(2)
endef

luci_packages:=$(PKG_NAME)
$(foreach language,$(luci_languages),$(if $(luci_code.$(language)),,$(error po/$(language): luci.mk does not know this language)))
$(foreach language,$(luci_languages),$(eval $(call luci_translation,$(language),luci-i18n-$(luci_base)-$(luci_code.$(language)))))
$(foreach package,$(luci_packages),$(eval $(call BuildPackage,$(package))))
