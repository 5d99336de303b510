// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/interpreters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace connscope::identity {
namespace {

using namespace std::string_literals;

/// As /proc/PID/cmdline has it.
std::string joined(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += argument + '\0';
  return text;
}

/// Empty when it has no name.
std::string program(const std::string& executable, const std::string& arguments) {
  const auto found = program_of(interpreter_of(executable), arguments);
  return found ? found->name : "";
}

struct Case {
  const char* executable;
  std::vector<std::string> arguments;  // behind argv[0]
  const char* program;
};

const std::vector<Case> kCommandLines = {
    {"python3.11", {"/srv/app/worker.py", "--port", "80"}, "worker.py"},
    {"python3.11", {"-u", "-bb", "worker.py"}, "worker.py"},
    {"python3.11", {"-W", "ignore", "-X", "dev", "worker.py"}, "worker.py"},
    {"python3.11", {"-Wignore", "-Xdev", "worker.py"}, "worker.py"},
    {"python3.11", {"-uW", "ignore", "worker.py"}, "worker.py"},
    {"python3.11", {"--check-hash-based-pycs", "always", "worker.py"}, "worker.py"},
    {"python3.11", {"--check-hash-based-pycs=always", "worker.py"}, "worker.py"},
    {"python3.11", {"-m", "http.server", "8000"}, "http.server"},
    {"python3.11", {"-mhttp.server"}, "http.server"},
    {"python3.11", {"-um", "celery", "-A", "shop"}, "celery"},
    {"python3.11", {"-c", "import this"}, ""},
    {"python3.11", {"-uc", "import this", "worker.py"}, ""},
    {"python3.11", {"-cimport this"}, ""},
    {"python3.11", {"-", "worker.py"}, ""},
    {"python3.11", {"--", "worker.py"}, "worker.py"},
    {"python3.11", {}, ""},
    {"python3.11", {"-m"}, ""},
    {"python3.11", {""}, ""},
    {"python3.11", {"/srv/app/"}, "app/"},
    {"python3.11", {"/usr/bin/gunicorn", "-m", "app:app"}, "gunicorn"},
    {"pypy3.9", {"worker.py"}, "worker.py"},

    {"node", {"server.js"}, "server.js"},
    {"node", {"--max-old-space-size=4096", "/srv/dist/main.mjs"}, "main.mjs"},
    {"node", {"--require", "dotenv/config", "-r", "./x", "server.js"}, "server.js"},
    {"node", {"--require=dotenv/config", "server.js"}, "server.js"},
    {"node", {"--inspect", "--enable-source-maps", "server.js"}, "server.js"},
    {"node", {"inspect", "server.js"}, "server.js"},
    {"node", {"-e", "run()"}, ""},
    {"node", {"--eval=run()"}, ""},
    {"node", {"-pe", "1+1"}, ""},
    {"node", {"--", "-odd.js"}, "-odd.js"},
    {"nodejs", {"server.js"}, "server.js"},

    {"java", {"-jar", "/opt/shop/shop-1.2.jar", "--port=80"}, "shop-1.2.jar"},
    {"java", {"-Xmx1g", "-Da=b", "-ea", "-jar", "shop.jar"}, "shop.jar"},
    {"java", {"-cp", "a.jar:b.jar", "org.example.Main", "x"}, "org.example.Main"},
    {"java", {"--class-path=a.jar", "org.example.Main"}, "org.example.Main"},
    {"java", {"--add-opens", "java.base/java.lang=ALL-UNNAMED", "org.example.Main"}, "org.example.Main"},
    {"java", {"--add-opens=java.base/java.lang=ALL-UNNAMED", "Main"}, "Main"},
    {"java", {"-p", "mods", "-m", "shop/org.example.Main"}, "org.example.Main"},
    {"java", {"--module=shop/org.example.Main"}, "org.example.Main"},
    {"java", {"-m", "shop"}, "shop"},
    {"java", {"@options", "org.example.Main"}, "org.example.Main"},
    {"java", {"@everything"}, ""},
    {"java", {"Main.java", "x"}, "Main.java"},
    {"java", {"-version"}, ""},
    {"java", {"-cp"}, ""},

    {"ruby3.1", {"/usr/bin/puma", "-p", "80"}, "puma"},
    {"ruby3.1", {"-Ilib", "-I", "lib", "-rset", "-r", "json", "job.rb"}, "job.rb"},
    {"ruby3.1", {"-W0", "-W:no-deprecated", "--yjit", "job.rb"}, "job.rb"},
    {"ruby3.1", {"--disable", "gems", "--disable=did_you_mean", "job.rb"}, "job.rb"},
    {"ruby3.1", {"-wS", "rake", "x"}, "rake"},
    {"ruby3.1", {"-ne", "puts $_", "job.rb"}, ""},
    {"ruby3.1", {"-i.bak", "job.rb"}, "job.rb"},

    {"perl", {"-w", "/usr/sbin/amavisd", "-c", "x"}, "amavisd"},
    {"perl", {"-wT", "-I/lib", "-I", "lib", "job.pl"}, "job.pl"},
    {"perl", {"-MSocket", "-mIO::Socket", "job.pl"}, "job.pl"},
    {"perl", {"-d:NYTProf", "job.pl"}, "job.pl"},
    {"perl", {"-CSDE", "job.pl"}, "job.pl"},
    {"perl", {"-0777", "-l012", "job.pl"}, "job.pl"},
    {"perl", {"-i.orig", "job.pl"}, "job.pl"},
    {"perl", {"-lane", "print", "job.pl"}, ""},
    {"perl", {"-eprint", "job.pl"}, ""},
    {"perl", {"-E", "say 1"}, ""},
    {"perl5.36-x86_64-linux-gnu", {"--", "job.pl"}, "job.pl"},

    {"php8.2", {"/srv/artisan", "queue:work"}, "artisan"},
    {"php8.2", {"-d", "memory_limit=1G", "-dx=y", "job.php"}, "job.php"},
    {"php8.2", {"-c", "/etc/php", "-f", "job.php", "x"}, "job.php"},
    {"php8.2", {"--define", "a=b", "--file=job.php"}, "job.php"},
    {"php8.2", {"-S", "0:80", "-t", "public"}, ""},
    {"php8.2", {"-S", "0:80", "-t", "public", "router.php"}, "router.php"},
    {"php8.2", {"-r", "echo 1;"}, ""},
    {"php8.2", {"--", "job.php"}, ""},

    {"dash", {"/etc/cron.daily/backup", "x"}, "backup"},
    {"dash", {"-e", "backup.sh"}, "backup.sh"},
    {"dash", {"-c", "exec nginx"}, ""},
    {"bash", {"-euo", "pipefail", "backup.sh"}, "backup.sh"},
    {"bash", {"-o", "pipefail", "+o", "posix", "-O", "extglob", "+O", "nullglob", "backup.sh"}, "backup.sh"},
    {"bash", {"-oe", "pipefail", "backup.sh"}, "backup.sh"},
    {"bash", {"-oc", "pipefail", "exec nginx"}, ""},
    {"bash", {"-lc", "exec nginx"}, ""},
    {"bash", {"--norc", "--rcfile", "x", "backup.sh"}, "backup.sh"},
    {"bash", {"-s", "backup.sh"}, ""},
    {"bash", {"-", "backup.sh"}, "backup.sh"},
    {"bash", {"--", "-odd"}, "-odd"},
    {"bash", {}, ""},
    {"bash", {"-i"}, ""},
    {"zsh", {"-f", "backup.zsh"}, "backup.zsh"},
    {"ksh93", {"backup.ksh"}, "backup.ksh"},
};

TEST(ProgramOf, FindsWhatEachInterpreterRuns) {
  for (const Case& example : kCommandLines) {
    const std::string arguments = joined({example.executable}) + joined(example.arguments);
    EXPECT_EQ(program(example.executable, arguments), example.program) << testing::PrintToString(arguments);
  }
}

TEST(ProgramOf, BusyboxIsAShellWhenItWasCalledSo) {
  EXPECT_EQ(program("busybox", joined({"sh", "-e", "/run.sh"})), "run.sh");
  EXPECT_EQ(program("busybox", joined({"/bin/ash", "/run.sh"})), "run.sh");
  EXPECT_EQ(program("busybox", joined({"-sh"})), "");
  EXPECT_EQ(program("busybox", joined({"busybox", "sh", "/run.sh"})), "run.sh");
  EXPECT_EQ(program("busybox", joined({"sh", "-c", "wget x"})), "");
  EXPECT_EQ(program("busybox", joined({"wget", "http://x/y"})), "");
  EXPECT_EQ(program("busybox", joined({"busybox", "wget", "sh"})), "");
}

TEST(ProgramOf, ArgumentsLongerThanTheWindowAreWalkedOver) {
  const std::string classpath(20'000, 'a');
  EXPECT_EQ(program("java", joined({"java", "-cp", classpath, "kafka.Kafka"})), "kafka.Kafka");
  EXPECT_EQ(program("java", joined({"java", "-Djava.class.path=" + classpath, "kafka.Kafka"})), "kafka.Kafka");
  const std::string folder = "/" + std::string(200, 'd') + "/";
  EXPECT_EQ(program("python3", joined({"python3", folder + "worker.py"})), "worker.py");
  EXPECT_EQ(program("python3", joined({"python3", "-m" + std::string(100, 'p') + "." + std::string(100, 'q')})).size(),
            std::size_t{PROGRAM_NAME_BYTES - 1});
  EXPECT_EQ(program("python3", joined({"python3", folder + std::string(250, 's')})), std::string(111, 's'));
}

TEST(ProgramOf, EveryLengthAroundTheWindowHasItsName) {
  for (std::size_t length = 100; length < 300; ++length) {
    const std::string path = "/" + std::string(length, 'd') + "/worker.py";
    EXPECT_EQ(program("python3", joined({"python3", path})), "worker.py") << length;
  }
}

TEST(ProgramOf, HostileArgumentsHaveNoName) {
  EXPECT_EQ(program("python3", ""), "");
  EXPECT_EQ(program("python3", "\0\0\0"s), "");
  EXPECT_EQ(program("python3", "title that a program gave itself\0\0\0\0"s), "");
  EXPECT_EQ(program("perl", joined({"perl", std::string(5000, '-')})), "");
  EXPECT_EQ(program("bash", joined({"bash", "-" + std::string(5000, 'o')})), "");
  EXPECT_EQ(program("bash", joined({"bash", "-=", "-e=", "+=", "--="})), "");
}

TEST(ProgramOf, WithoutATerminatorTheLastArgumentCounts) {
  EXPECT_EQ(program("python3", "python3\0worker.py"s), "worker.py");
}

TEST(ProgramOf, ProgramsHaveTheSameHashWhereverTheyLie) {
  const auto hash = [](const std::string& path) {
    return program_of(INTERPRETER_PYTHON, joined({"python3", path}))->hash;
  };
  EXPECT_EQ(hash("/a/worker.py"), hash("worker.py"));
  EXPECT_NE(hash("worker.py"), hash("worker.pyc"));
}

TEST(InterpreterOf, KnowsVersionsFromOtherPrograms) {
  for (const char* name : {"python", "python3", "python3.11", "python3.11-dbg", "pypy3"})
    EXPECT_EQ(interpreter_of(name), INTERPRETER_PYTHON) << name;
  EXPECT_EQ(interpreter_of("php8.2"), INTERPRETER_PHP);
  EXPECT_EQ(interpreter_of("perl5.36-x86_64-linux-gnu"), INTERPRETER_PERL);
  for (const char* name : {"", "3", "node_exporter", "node2vec", "python-argcomplete", "php-fpm8.2", "javac", "sha1sum",
                           "a_name_that_is_longer_than_any_stem"})
    EXPECT_EQ(interpreter_of(name), INTERPRETER_NONE) << name;
}

TEST(ProgramPrefix, IsWithoutTheExtensionOfItsLanguage) {
  EXPECT_EQ(program_prefix("worker.py"), "worker");
  EXPECT_EQ(program_prefix("shop-1.2.jar"), "shop-1.2");
  EXPECT_EQ(program_prefix("org.example.Main"), "org.example.Main");
  EXPECT_EQ(program_prefix("app/"), "app");
  EXPECT_EQ(program_prefix("backup.daily"), "backup.daily");
  EXPECT_EQ(program_prefix(".py"), ".py");
  EXPECT_EQ(program_prefix("__main__.py"), "__main__");
}

TEST(ProgramPrefix, IsNothingWhereTheNameSaysNothing) {
  for (const char* name : {"", ".", "..", "./", "63"}) EXPECT_EQ(program_prefix(name), "") << name;
}

TEST(InterpreterTables, FitIntoTheKernelsKeys) {
  std::set<std::pair<int, std::string>> seen;
  for (const InterpreterOption& option : interpreter_options()) {
    EXPECT_LT(option.name.size(), std::size_t{OPTION_BYTES - 1}) << option.name;
    EXPECT_TRUE(seen.emplace(option.which, option.name).second) << option.name << " is there twice";
  }
  for (const Interpreter& entry : interpreters()) {
    EXPECT_LT(entry.stem.size(), std::size_t{INTERPRETER_BYTES}) << entry.stem;
    EXPECT_EQ(interpreter_of(entry.stem), entry.which) << entry.stem;
  }
}

}  // namespace
}  // namespace connscope::identity
