# Five words for people: make, make run, make test, make bench, make install.
# The build itself is meson's, in the folder build.

PREFIX ?= /usr/local

all: build/build.ninja
	@ninja -C build --quiet

build/build.ninja:
	@scripts/setup build
	@meson setup build --prefix="$(PREFIX)" >/dev/null

run: all
	@scripts/run

test:
	@scripts/setup test
	@scripts/test

# Every family for real, in user-mode-linux.
test-kernels: all
	@scripts/setup kernels
	@tests/kernels/run build

bench: all
	@scripts/setup bench
	@meson test -C build --benchmark --verbose

install: all
	@meson configure build --prefix="$(PREFIX)"
	@meson install -C build

clean:
	rm -rf build build-*

.PHONY: all run test test-kernels bench install clean
