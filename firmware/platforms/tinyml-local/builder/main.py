"""SCons script of the platform: tools, flags and targets of `sim`, `native` and `browser`."""

import sys
from hashlib import sha1
from os.path import join

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
is_cross = bool(board.get("build.toolchain"))
is_page = board.get("build.page", False)
target = board.get("build.target", "")  # of Zig; "" is this computer
compiler = env.GetProjectOption("custom_compiler", "gcc")
uses_cxx_runtime = env.GetProjectOption("custom_cxx_runtime", "no") == "yes"


def use_tools(prefix):
    # Linking through the C driver keeps libstdc++ out: our own code needs none, and it may not be installed.
    env.Replace(
        AR=prefix + "gcc-ar",
        AS=prefix + "gcc",
        CC=prefix + "gcc",
        CXX=prefix + "g++",
        LINK=prefix + ("g++" if uses_cxx_runtime else "gcc"),
        OBJCOPY=prefix + "objcopy",
        RANLIB=prefix + "gcc-ranlib",
        SIZETOOL=prefix + "size",
        ARFLAGS=["rc"],
        PROGNAME="firmware",
        PROGSUFFIX=".elf",
    )


def add_common_flags():
    env.Append(
        ASFLAGS=["-x", "assembler-with-cpp"],
        CCFLAGS=["-O3", "-g", "-ffunction-sections", "-fdata-sections", "-fno-common"],
        CFLAGS=["-std=c11"],
        CXXFLAGS=["-std=gnu++14", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-use-cxa-atexit"],
    )


def add_cross_flags():
    machine = [
        "-mcpu=" + board.get("build.cpu"),
        "-mthumb",
        "-mfloat-abi=hard",
        "-mfpu=" + board.get("build.fpu"),
    ]
    script = join(env.PioPlatform().get_dir(), "ldscripts", board.get("build.linker_script"))
    env.Append(
        ASFLAGS=machine,
        CCFLAGS=machine,
        CXXFLAGS=["-fno-unwind-tables", "-fno-asynchronous-unwind-tables"],
        LINKFLAGS=machine + ["-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs", "-Wl,--gc-sections", "-Wl,-Map,$BUILD_DIR/firmware.map", "-T", script],
        LIBS=["m"],
    )


def add_host_flags():
    is_macos = "macos" in target if target else sys.platform == "darwin"
    dead_code = "-Wl,-dead_strip" if is_macos else "-Wl,--gc-sections"
    env.Append(
        LINKFLAGS=[dead_code],
        LIBS=["m"],
    )
    env.Replace(AR="ar", RANLIB="ranlib")


def use_zig():
    """The compiler that pip installs, with its own C libraries."""
    zig = '"%s" -m ziglang ' % sys.executable
    env.Replace(
        AR=zig + "ar",
        CC=zig + "cc",
        CXX=zig + "c++",
        LINK=zig + ("c++" if uses_cxx_runtime else "cc"),
        RANLIB=zig + "ranlib",
    )
    # By default it would use whatever this processor has, such as fused multiplication, and round differently.
    machine = ["-target", target] if target else ["-mcpu=baseline"]
    # Zig keeps objects by their command line, and looks for changes in the headers of the folder that first had it;
    # PlatformIO names headers relative to the project. So commands name the project, and SCons does not mind.
    project = ["$(", "-DTINYML_PROJECT_FOLDER=" + sha1(env.subst("$PROJECT_DIR").encode()).hexdigest(), "$)"]
    env.Append(
        ASFLAGS=machine,
        CCFLAGS=machine + ["-fno-sanitize=undefined"] + project,
        LINKFLAGS=machine + project + ["-O3"],
    )


def use_clang():
    """The Clang of this computer, with the C library of another machine."""
    machine = ["--target=" + target]
    env.Replace(CC="clang", CXX="clang++", LINK="clang++" if uses_cxx_runtime else "clang")
    env.Append(ASFLAGS=machine, CCFLAGS=machine, LINKFLAGS=machine + ["-O3"])


def add_page_flags():
    # A reactor has no main(): the page calls what is exported.
    env.Append(LINKFLAGS=["-mexec-model=reactor", "-Wl,--strip-all"])


use_tools(board.get("build.toolchain"))
add_common_flags()
if is_cross:
    add_cross_flags()
else:
    add_host_flags()
if compiler == "zig":
    use_zig()
elif compiler == "clang":
    use_clang()
if is_page:
    add_page_flags()

program = env.BuildProgram()
AlwaysBuild(env.Alias("size", program, env.VerboseAction("$SIZETOOL $SOURCES", "Measuring $SOURCES")))
AlwaysBuild(env.Alias("exec", program, env.VerboseAction("$SOURCES", "Running $SOURCES")))
Default([program])
