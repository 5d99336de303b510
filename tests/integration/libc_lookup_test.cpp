// SPDX-License-Identifier: Apache-2.0
//
// Look-ups of the C library against what their programs themselves saw: in a network namespace with a DNS server, and
// with an /etc of their own.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/lookup_counts.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

using Words = std::vector<std::string>;
constexpr std::chrono::seconds kLimit(15);
constexpr char kConfig[] =
    "[limits]\nprefixes = 2000\n[probe.tcp]\nenabled = false\n[probe.libc_lookup]\nrescan = \"100ms\"\n";
constexpr char kWithoutWire[] = "[probe.packet]\nenabled = false\n[probe.dns]\nenabled = false\n";

/// An /etc for look-ups, whose servers have that time to answer.
TempDir make_etc(int timeout_seconds) {
  TempDir etc = must(TempDir::create());
  const auto write = [&](const std::string& name, const std::string& text) { must(etc.write(name, text)); };
  write("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:" + std::to_string(timeout_seconds) + "\n");
  write("nsswitch.conf", "hosts: files dns\nservices: files\n");
  write("services", "http 80/tcp\n");
  std::string hosts = "127.0.0.1 localhost\n10.1.1.1 many.test";
  for (int i = 0; i < 200; ++i) hosts += " alias-number-" + std::to_string(i) + ".many.test";
  write("hosts", hosts + "\n");
  return etc;
}

/// Where names are looked up.
class Resolver {
 public:
  Resolver() : netns_(must(NetNamespace::create())) {
    server_ = std::make_unique<ChildProcess>(must(ChildProcess::spawn({{CONNSCOPE_LOOKUP_SERVER}, netns_.fd(), {}})));
    if (!server_->await_output("listening", kLimit)) throw std::runtime_error(server_->standard_error());
  }
  [[nodiscard]] Result<std::vector<Said>> run(const Actor& actor, const Words& arguments) const {
    return actor.run(with_etc(etc_, arguments), netns_.fd());
  }
  /// One that waits long enough to be looked at, and killed.
  [[nodiscard]] ChildProcess start(const Actor& actor, const Words& arguments) const {
    return must(actor.start(with_etc(patient_etc_, arguments), netns_.fd()));
  }

 private:
  static Words with_etc(const TempDir& etc, const Words& arguments) {
    Words words = {"--etc", etc.path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  NetNamespace netns_;
  TempDir etc_ = make_etc(1);
  TempDir patient_etc_ = make_etc(30);
  std::unique_ptr<ChildProcess> server_;
};

bool has_musl() { return !std::string_view(CONNSCOPE_LOOKUP_ACTOR_MUSL).empty(); }

class LibcLookup : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    resolver_ = std::make_unique<Resolver>();
    if (has_musl()) {
      // A library is found in the processes that have it.
      musl_holder_ = std::make_unique<Actor>(must(Actor::create("musl_holder", CONNSCOPE_LOOKUP_ACTOR_MUSL)));
      holder_ = std::make_unique<ChildProcess>(resolver_->start(*musl_holder_, {"--wait", "getaddrinfo", "x"}));
      if (!holder_->await_output("ready", kLimit)) throw std::runtime_error(holder_->standard_error());
    }
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig)));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    holder_.reset();
    musl_holder_.reset();
    resolver_.reset();
  }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(agent_, nullptr) << "the agent did not start";
  }
  static LookupCounts counts(const Actor& actor) { return LookupCounts::of(must(agent_->scrape()), actor.name()); }
  static double entries(const AgentProcess& agent, const std::string& map) {
    return must(agent.scrape()).sum("connscope_bpf_map_entries", {{"map", "libc_lookup/" + map}});
  }

  static inline std::unique_ptr<Resolver> resolver_;
  static inline std::unique_ptr<Actor> musl_holder_;
  static inline std::unique_ptr<ChildProcess> holder_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

/* --- every function and outcome, with each C library
 * ------------------------------------------------------------------ */

/// What a C library makes of it.
struct Expected {
  std::string outcome;
  int queries = 0;  // that it sends for one look-up
};

struct Case {
  std::string name;
  Words arguments;
  Expected glibc;
  Expected musl;
  int counted = 1;

  /// Whether the server makes it wait.
  [[nodiscard]] bool waits() const { return arguments.back().rfind("d2", 0) == 0 || arguments.back() == "silent.test"; }
  friend std::ostream& operator<<(std::ostream& out, const Case& test) { return out << test.name; }
};

/// musl asks a server that fails three times, and takes the absence of an address for that of the name.
std::vector<Case> cases() {
  return {
      {"ok", {"getaddrinfo", "ok.test"}, {"ok", 2}, {"ok", 2}},
      {"noname", {"getaddrinfo", "nx.test"}, {"eai_noname", 2}, {"eai_noname", 2}},
      {"server_fails", {"getaddrinfo", "fail.test"}, {"eai_again", 2}, {"eai_again", 6}},
      {"no_data", {"getaddrinfo", "empty.test"}, {"eai_nodata", 2}, {"eai_noname", 2}},
      {"no_answer", {"getaddrinfo", "silent.test"}, {"eai_again", 2}, {"eai_again", 2}},
      {"unknown_service", {"--service", "nosuch", "getaddrinfo", "ok.test"}, {"eai_service"}, {"eai_service"}},
      {"unknown_family", {"--family", "99", "getaddrinfo", "ok.test"}, {"eai_family"}, {"eai_family"}},
      // glibc cannot even read there where it should ask.
      {"no_descriptors", {"--descriptors", "3", "getaddrinfo", "ok.test"}, {"eai_noname"}, {"eai_system"}},
      {"hosts_file", {"getaddrinfo", "many.test"}, {"ok"}, {"ok"}},
      {"numeric", {"getaddrinfo", "10.0.0.1"}, {"ok"}, {"ok"}},
      {"after_20_ms", {"getaddrinfo", "d20.test"}, {"ok", 2}, {"ok", 2}},
      {"after_200_ms", {"getaddrinfo", "d200.test"}, {"ok", 2}, {"ok", 2}},
      {"twenty", {"--times", "20", "getaddrinfo", "ok.test"}, {"ok", 2}, {"ok", 2}, 20},
      {"four_threads", {"--threads", "4", "--times", "5", "getaddrinfo", "d20.test"}, {"ok", 2}, {"ok", 2}, 20},
      {"one_family", {"--family", "2", "getaddrinfo", "ok.test"}, {"ok", 1}, {"ok", 1}},
      {"after_one_left", {"--abandon", "d9000.test", "getaddrinfo", "ok.test"}, {"ok", 2}, {"ok", 2}},
      {"byname", {"gethostbyname", "ok.test"}, {"ok", 1}, {"ok", 1}},
      {"byname_noname", {"gethostbyname", "nx.test"}, {"eai_noname", 1}, {"eai_noname", 1}},
      {"byname_server_fails", {"gethostbyname", "fail.test"}, {"eai_again", 1}, {"eai_again", 3}},
      {"byname_no_data", {"gethostbyname", "empty.test"}, {"eai_nodata", 1}, {"eai_noname", 1}},
      {"byname_no_answer", {"gethostbyname", "silent.test"}, {"eai_again", 1}, {"eai_again", 1}},
      {"byname_after_200_ms", {"gethostbyname", "d200.test"}, {"ok", 1}, {"ok", 1}},
      {"byname_with_aliases", {"gethostbyname", "many.test"}, {"ok"}, {"ok"}},
      {"byname2", {"gethostbyname2", "ok.test"}, {"ok", 1}, {"ok", 1}},
      {"byname2_noname", {"gethostbyname2", "nx.test"}, {"eai_noname", 1}, {"eai_noname", 1}},
      {"byaddr", {"gethostbyaddr", "10.4.4.4"}, {"ok", 1}, {"ok", 1}},
      {"byaddr_with_aliases", {"gethostbyaddr", "10.1.1.1"}, {"ok"}, {"ok"}},
      {"byname_r_with_aliases", {"gethostbyname_r", "many.test"}, {"ok"}, {"ok"}},
      {"byname2_r_with_aliases", {"gethostbyname2_r", "many.test"}, {"ok"}, {"ok"}},
      {"byaddr_r_with_aliases", {"gethostbyaddr_r", "10.1.1.1"}, {"ok"}, {"ok"}},
      {"byname_r_four_threads", {"--threads", "4", "--times", "5", "gethostbyname_r", "many.test"}, {"ok"}, {"ok"}, 20},
      {"nameinfo", {"getnameinfo", "10.4.4.4"}, {"ok", 1}, {"ok", 1}},
      {"nameinfo_with_aliases", {"getnameinfo", "10.1.1.1"}, {"ok"}, {"ok"}},
      {"nameinfo_numeric", {"--flags", "1", "getnameinfo", "10.4.4.4"}, {"ok"}, {"ok"}, 0},
  };
}

class LibcLookupCase : public LibcLookup, public ::testing::WithParamInterface<Case> {
 protected:
  static void expect_counts(const std::string& library, const std::string& program, const Expected& expected) {
    const Case& asked = GetParam();
    const Actor actor = must(Actor::create(library + "_" + asked.name, program));
    double said_seconds = 0;
    for (int run = 1; run <= 2; ++run) {
      SCOPED_TRACE("run " + std::to_string(run));
      const auto said = must(resolver_->run(actor, asked.arguments));
      for (const Said& one : said) EXPECT_EQ(one.word, expected.outcome);
      for (const Said& one : said) said_seconds += one.seconds;
      const LookupCounts counted = counts(actor);
      const double times = run * asked.counted;
      std::map<std::string, double> ended;
      if (times > 0) ended[expected.outcome] = times;
      EXPECT_EQ(counted.ended, ended);
      // What has asked a server has failed there, and every failure counts once.
      const bool fails_here = expected.outcome != "ok" && expected.queries == 0;
      EXPECT_EQ(counted.failures, fails_here ? ended : (std::map<std::string, double>{}));
      EXPECT_EQ(counted.queries_counted, times);
      EXPECT_EQ(counted.queries, times * expected.queries);
      EXPECT_LE(counted.seconds, said_seconds + 0.001 * times);
      // In an emulated machine the traps at both ends take longer than a look-up that is answered at once.
      if (asked.waits()) {
        EXPECT_GE(counted.seconds, 0.8 * said_seconds - 0.001 * times);
      }
    }
  }
};

TEST_P(LibcLookupCase, IsCountedOnceWithGlibc) { expect_counts("glibc", CONNSCOPE_LOOKUP_ACTOR, GetParam().glibc); }

TEST_P(LibcLookupCase, IsCountedOnceWithMusl) {
  if (!has_musl()) {
    if (bpf_tests_required()) FAIL() << "needs musl-gcc (scripts/setup.sh --test)";
    GTEST_SKIP() << "needs musl-gcc";
  }
  expect_counts("musl", CONNSCOPE_LOOKUP_ACTOR_MUSL, GetParam().musl);
}

INSTANTIATE_TEST_SUITE_P(Cases, LibcLookupCase, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

/* --- look-ups that are under way
 * --------------------------------------------------------------------------------------- */

TEST_F(LibcLookup, WhatDiesInTheMiddleIsNotCountedAndLeavesNothing) {
  const Actor actor = must(Actor::create("look_killed", CONNSCOPE_LOOKUP_ACTOR));
  for (int run = 1; run <= 2; ++run) {
    ChildProcess child = resolver_->start(actor, {"--threads", "4", "getaddrinfo", "d9000.test"});
    ASSERT_TRUE(eventually(kLimit, [] { return entries(*agent_, "lookups") == 4; })) << agent_->log();
    must(child.send_signal(SIGKILL));
    must(child.wait(kLimit));
    ASSERT_TRUE(eventually(kLimit, [] { return entries(*agent_, "lookups") == 0; }));
    EXPECT_EQ(counts(actor).all_ended(), 0);
  }
}

TEST_F(LibcLookup, WithoutTheWireAFailureIsTheLibrarys) {
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, std::string(kConfig) + kWithoutWire));
  const Actor actor = must(Actor::create("look_unseen", CONNSCOPE_LOOKUP_ACTOR));
  for (const char* name : {"nx.test", "fail.test"}) must(resolver_->run(actor, {"getaddrinfo", name}));
  const LookupCounts counted = LookupCounts::of(must(agent.scrape()), actor.name());
  const std::map<std::string, double> once = {{"eai_noname", 1}, {"eai_again", 1}};
  EXPECT_EQ(counted.ended, once);
  EXPECT_EQ(counted.failures, once);
  EXPECT_EQ(counted.queries_counted, 2);
  EXPECT_EQ(counted.queries, 0);
}

/* --- libraries that come and go
 * ----------------------------------------------------------------------------------------- */

TEST_F(LibcLookup, TheLibraryOfAContainerIsSeenAndGivenBack) {
  const Actor actor = must(Actor::create("look_contained", CONNSCOPE_LOOKUP_ACTOR));
  const TempDir root = must(TempDir::create());
  const double before = entries(*agent_, "libraries");
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const Words contained = {"--contain", root.path(), "--wait"};
    Words once = contained;
    once.insert(once.end(), {"getaddrinfo", "d20.test"});
    ChildProcess child = resolver_->start(actor, once);
    ASSERT_TRUE(child.await_output("ready", kLimit)) << child.standard_error();
    ASSERT_TRUE(eventually(kLimit, [&] { return entries(*agent_, "libraries") == before + 1; })) << agent_->log();
    must(child.write_input("\n"));
    must(child.wait(kLimit));
    EXPECT_EQ(counts(actor).ended, (std::map<std::string, double>{{"ok", run}}));
    ASSERT_TRUE(eventually(kLimit, [&] { return entries(*agent_, "libraries") == before; }));

    Words killed = contained;
    killed.insert(killed.end(), {"getaddrinfo", "d9000.test"});
    ChildProcess other = resolver_->start(actor, killed);
    ASSERT_TRUE(other.await_output("ready", kLimit)) << other.standard_error();
    ASSERT_TRUE(eventually(kLimit, [&] { return entries(*agent_, "libraries") == before + 1; })) << agent_->log();
    must(other.write_input("\n"));
    ASSERT_TRUE(eventually(kLimit, [] { return entries(*agent_, "lookups") == 1; }));
    must(other.send_signal(SIGKILL));
    must(other.wait(kLimit));
    ASSERT_TRUE(eventually(
        kLimit, [&] { return entries(*agent_, "lookups") == 0 && entries(*agent_, "libraries") == before; }));
    EXPECT_EQ(counts(actor).ended, (std::map<std::string, double>{{"ok", run}}));
  }
}

std::size_t times_in(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

/// A file of that name, mapped as if it were code.
class MappedFile {
 public:
  MappedFile(const TempDir& folder, const std::string& name, const std::string& text)
      : path_(must(folder.write(name, text))), bytes_(text.size()) {
    const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    start_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
    if (start_ == MAP_FAILED) throw std::runtime_error("mmap");
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { ::munmap(start_, bytes_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::size_t bytes_;
  void* start_;
};

TEST_F(LibcLookup, ALibraryThatCannotBeReadIsNamedOnceAndTheRestRuns) {
  const TempDir folder = must(TempDir::create());
  const MappedFile file(folder, "libc.so.6", std::string(4096, 'x'));
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, std::string(kConfig) + kWithoutWire));
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
    const Exposition shown = must(agent.scrape());
    EXPECT_EQ(shown.count("connscope_probe_info", {{"hook", file.path()}, {"reason", "not an ELF file"}}), 1U);
    EXPECT_EQ(shown.sum("connscope_probe_up", {{"probe", "libc_lookup"}}), 1);
  }
  EXPECT_EQ(times_in(agent.log(), file.path() + ": not an ELF file"), 1U) << agent.log();
  EXPECT_GE(entries(agent, "libraries"), 1);
}

TEST_F(LibcLookup, LibrariesBeyondTheLimitAreSummedUp) {
  const TempDir folder = must(TempDir::create());
  const MappedFile file(folder, "libc.so.6", std::string(4096, 'x'));
  // The last table of kConfig is the probe's.
  const AgentProcess few =
      must(AgentProcess::start({CONNSCOPE_AGENT}, std::string(kConfig) + "libraries = 1\n" + kWithoutWire));
  const LabelMap too_many = {{"probe", "libc_lookup"}, {"hook", "libraries"}};
  EXPECT_EQ(must(few.scrape()).count("connscope_probe_info", too_many), 1U);
  EXPECT_EQ(times_in(few.log(), "goes without libraries"), 1U) << few.log();
  EXPECT_EQ(must(agent_->scrape()).count("connscope_probe_info", too_many), 0U);
}

}  // namespace
}  // namespace connscope::testing
