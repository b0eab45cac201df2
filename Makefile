# Five words for people: make, make run, make test, make bench, make install.
# The build itself is meson's, in the folder build.

PREFIX ?= /usr/local

# What root builds in a user's folder (sudo make ...) becomes the user's, who could not build there again.
hand_over = status=$$?; [ "$$(id -u)" -ne 0 ] || chown -Rh --reference=. build* 2>/dev/null; exit $$status

all: build/build.ninja
	@ninja -C build --quiet; $(hand_over)

build/build.ninja:
	@scripts/setup build
	@meson setup build --prefix="$(PREFIX)" >/dev/null

run: all
	@scripts/run

test:
	@scripts/setup test
	@scripts/test; $(hand_over)

# How it is written: clang-format, clang-tidy, cppcheck.
lint:
	@scripts/setup test
	@scripts/test lint; $(hand_over)

# Other ways to change stacks, another processor, another C library.
test-ports:
	@scripts/setup ports
	@scripts/test ucontext aarch64 musl; $(hand_over)

# Every family for real, in user-mode-linux.
test-kernels: all
	@scripts/setup kernels
	@tests/kernels/run build; $(hand_over)

# Many connections, and peers that do their worst, with large numbers.
test-load: all
	@scripts/setup load
	@tests/load/run build; $(hand_over)

# CPython's own tests of everything that stands on socket, on ours and on CPython's.
test-python: all
	@scripts/setup python
	@[ -d build/python/skt ] || meson setup --reconfigure build >/dev/null
	@ninja -C build --quiet && tests/python/run build; $(hand_over)

# A thousand schedules of the tests' tasks.
test-schedules: all
	@tests/schedules.py build; $(hand_over)

bench: all
	@scripts/setup bench
	@meson test -C build --benchmark --verbose && bench/run && ninja -C build --quiet bench/command-loop && bench/command build && bench/python build; $(hand_over)

# The loader finds a new library in /usr/local only after ldconfig.
install: all
	@meson configure build --prefix="$(PREFIX)" && meson install -C build; $(hand_over)
	@[ "$$(id -u)" -ne 0 ] || [ -n "$(DESTDIR)" ] || ldconfig

clean:
	rm -rf build build-*

.PHONY: all run test lint test-ports test-kernels test-load test-python test-schedules bench install clean
