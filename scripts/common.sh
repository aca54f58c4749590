# shellcheck shell=bash
# What several scripts need; to be sourced.

# Debian keeps the sbin folders out of an ordinary user's PATH, and a fresh rustup is not in it yet.
PATH=$PATH:/usr/sbin:/sbin:${HOME:-/root}/.cargo/bin

missing=()

# need COMMAND PACKAGE: notes the package if the command is not there. COMMAND may be a file's path.
need() {
  command -v "$1" >/dev/null || [[ $1 == */* && -e $1 ]] || missing+=("$2")
}

# Installs what `need` found missing. Asks for root only if something is.
install_missing() {
  ((${#missing[@]})) || return 0
  local install=(apt-get install -y --no-install-recommends "${missing[@]}") as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null && as_root=(sudo)
  fi
  if ! command -v apt-get >/dev/null || ((EUID != 0 && ${#as_root[@]} == 0)); then
    echo "These packages are missing: ${missing[*]}. As root on Debian: ${install[*]}" >&2
    return 1
  fi
  echo "Installing ${missing[*]} (root is needed for this, and for nothing else)" >&2
  "${as_root[@]}" apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" >&2
  missing=()
}

# What the tests of the LuCI app need from npm, in tests/luci/node_modules: again only when the list of it has changed.
# Nothing of what is fetched is run while it is installed.
luci_modules() {
  local folder
  folder=$(dirname "${BASH_SOURCE[0]}")/../tests/luci
  cmp --silent "$folder/package-lock.json" "$folder/node_modules/.installed" && return
  npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >&2
  cp "$folder/package-lock.json" "$folder/node_modules/.installed"
}
