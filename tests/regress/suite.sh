# PostgreSQL's regression suite, and a server for it. Sourced; $root, $work and $port are set by then.
#
# The suite comes from Debian's source package of the installed server's very version, where the mirror has it, into
# .cache/regress; SUITE_SOURCE=DIRECTORY names an unpacked PostgreSQL source to take instead (remove .cache/regress to change
# it). Nothing of it is part of this repository.

cache=$root/.cache/regress
programs=/usr/lib/postgresql/15/bin

# The suite, and the library that its C functions are in.
fetch() {
  local version
  version=$(dpkg-query -W -f '${Version}' postgresql-15)
  [ -e "$cache/$version" ] && return
  rm -rf "$cache"
  if [ -n "${SUITE_SOURCE:-}" ]; then
    echo "building the suite of $SUITE_SOURCE" >&2
    mkdir -p "$cache"
    cp -r "$SUITE_SOURCE" "$cache/source"
  else
    echo "fetching the suite of $version" >&2
    download "$version"
  fi
  build
  touch "$cache/$version"
}

download() {
  local version=$1 private=$cache/apt
  mkdir -p "$private/parts" "$private/lists/partial"
  # The machine's own sources, read as sources of source packages, with lists of our own.
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src deb/' "$file" > "$private/parts/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -e "$file" ] || sed -n 's/^deb \(.*\)/deb \1\ndeb-src \1/p' "$file" > "$private/parts/${file##*/}"
  done
  [ ! -e "$private/parts/sources.list" ] || mv "$private/parts/sources.list" "$private/parts/main.list"
  local apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$private/parts" -o "Dir::State::Lists=$private/lists"
    -o "Dir::Cache=$private" -o "Dir::Cache::archives=$private" -o APT::Sandbox::User=root)
  (
    cd "$private"
    "${apt[@]}" update
    "${apt[@]}" source --download-only "postgresql-15=$version" 2>/dev/null || nearest_source "${apt[@]}"
    tar -xf postgresql-15_*.orig.tar.* -C "$cache"
  )
  mv "$cache"/postgresql-15.* "$cache/source"
  patch_like_debian "$private" "$cache/source"
}

build() {
  local headers=$cache/dev/usr/include/postgresql/15/server
  mkdir -p "$cache/dev"
  (cd "$cache/dev" && apt-get -qq download postgresql-server-dev-15 && dpkg -x postgresql-server-dev-15_*.deb .)
  gcc -O2 -fPIC -shared -w -I "$headers" -I "$cache/source/src/test/regress" -o "$cache/regress.so" "$cache/source/src/test/regress/regress.c"
}

# A mirror may carry a security update's packages and not its source. The suite of another minor release still compares the
# two runs; a few tests may then fail in both.
nearest_source() {
  local available version
  available=$(apt-cache "${@:3}" showsrc postgresql-15 | awk '/^Version:/ { print $2 }' | sort -Vr)
  for version in $available; do
    if "$@" source --download-only "postgresql-15=$version" 2>/dev/null; then
      echo "the server's own source is not to be had: using the suite of $version" >&2
      return
    fi
  done
  echo 'regress: no source of postgresql-15 can be fetched; check the package mirror' >&2
  return 1
}

# Debian's patches change expected output too.
patch_like_debian() {
  local patch
  tar -xf "$1"/postgresql-15_*.debian.tar.* -C "$2"
  while read -r patch; do
    case $patch in '' | '#'*) continue ;; esac
    patch -d "$2" -p1 -s -N --force < "$2/debian/patches/$patch" >/dev/null || true
  done < "$2/debian/patches/series"
}

# NAME [SETTING…]
new_server() {
  local name=$1 setting
  "$root/scripts/postgres" start "$work/$name" "$port" fsync=off max_connections=200 "${@:2}"
  export PGPASSWORD
  PGPASSWORD=$(cat "$work/$name/superuser.password")
  {
    echo "CREATE DATABASE regression TEMPLATE template0;"
    # What pg_regress sets when it makes the database itself.
    for setting in lc_messages=C lc_monetary=C lc_numeric=C lc_time=C bytea_output=hex timezone_abbreviations=Default; do
      echo "ALTER DATABASE regression SET ${setting%%=*} TO '${setting#*=}';"
    done
  } | psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres
}

# A copy of the suite that the server may write to.
suite_directory() {
  mkdir -p "$1"
  cp -r "$cache/source/src/test/regress/." "$1"
  # Modules that the suite's triggers are written with; Debian's server package has them.
  cp "$cache/regress.so" "$programs/../lib/autoinc.so" "$programs/../lib/refint.so" "$1"
  [ "$(id -u)" -ne 0 ] || chown -R postgres "$1"
}
