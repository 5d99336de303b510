// SPDX-License-Identifier: Apache-2.0
//
// Look-ups of the C library against what their programs themselves saw: in a network namespace with a DNS server, and
// with an /etc of their own.
#include "bpf/dns/libc_lookup.h"

#include <bpf/bpf.h>
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
constexpr char kConfig[] = "[probe.libc_lookup]\nrescan = \"100ms\"\n[limits]\nprefixes = 2000\n";

/// Where names are looked up.
class Resolver {
 public:
  Resolver() : netns_(must(NetNamespace::create())), etc_(must(TempDir::create())) {
    write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    write("nsswitch.conf", "hosts: files dns\nservices: files\n");
    write("services", "http 80/tcp\n");
    std::string hosts = "127.0.0.1 localhost\n10.1.1.1 many.test";
    for (int i = 0; i < 200; ++i) hosts += " alias-number-" + std::to_string(i) + ".many.test";
    write("hosts", hosts + "\n");
    server_ = std::make_unique<ChildProcess>(must(ChildProcess::spawn({{CONNSCOPE_LOOKUP_SERVER}, netns_.fd(), {}})));
    if (!server_->await_output("listening", kLimit)) throw std::runtime_error(server_->standard_error());
  }
  [[nodiscard]] const NetNamespace& netns() const { return netns_; }
  [[nodiscard]] const std::string& etc() const { return etc_.path(); }
  [[nodiscard]] Result<std::vector<Said>> run(const Actor& actor, const Words& arguments) const {
    return actor.run(in_etc(arguments), netns_.fd());
  }
  [[nodiscard]] ChildProcess start(const Actor& actor, const Words& arguments) const {
    return must(actor.start(in_etc(arguments), netns_.fd()));
  }

 private:
  void write(const std::string& name, const std::string& text) const { must(etc_.write(name, text)); }
  [[nodiscard]] Words in_etc(const Words& arguments) const {
    Words words = {"--etc", etc_.path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  NetNamespace netns_;
  TempDir etc_;
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

struct Case {
  friend std::ostream& operator<<(std::ostream& out, const Case& test) { return out << test.name; }

  std::string name;
  Words arguments;
  std::string outcome;
  int counted = 1;
  /// What musl says, where that is something else.
  std::string musl_outcome = {};
};

std::vector<Case> cases() {
  return {
      {"ok", {"getaddrinfo", "ok.test"}, "ok"},
      {"noname", {"getaddrinfo", "nx.test"}, "eai_noname"},
      {"server_fails", {"getaddrinfo", "fail.test"}, "eai_again"},
      {"no_data", {"getaddrinfo", "empty.test"}, "eai_nodata", 1, "eai_noname"},
      {"no_answer", {"getaddrinfo", "silent.test"}, "eai_again"},
      {"unknown_service", {"--service", "nosuch", "getaddrinfo", "ok.test"}, "eai_service"},
      {"unknown_family", {"--family", "99", "getaddrinfo", "ok.test"}, "eai_family"},
      // glibc cannot even read there where it should ask.
      {"no_descriptors", {"--descriptors", "3", "getaddrinfo", "ok.test"}, "eai_noname", 1, "eai_system"},
      {"hosts_file", {"getaddrinfo", "many.test"}, "ok"},
      {"numeric", {"getaddrinfo", "10.0.0.1"}, "ok"},
      {"after_20_ms", {"getaddrinfo", "d20.test"}, "ok"},
      {"after_200_ms", {"getaddrinfo", "d200.test"}, "ok"},
      {"twenty", {"--times", "20", "getaddrinfo", "ok.test"}, "ok", 20},
      {"four_threads", {"--threads", "4", "--times", "5", "getaddrinfo", "d20.test"}, "ok", 20},
      {"byname", {"gethostbyname", "ok.test"}, "ok"},
      {"byname_noname", {"gethostbyname", "nx.test"}, "eai_noname"},
      {"byname_server_fails", {"gethostbyname", "fail.test"}, "eai_again"},
      {"byname_no_data", {"gethostbyname", "empty.test"}, "eai_nodata", 1, "eai_noname"},
      {"byname_no_answer", {"gethostbyname", "silent.test"}, "eai_again"},
      {"byname_after_200_ms", {"gethostbyname", "d200.test"}, "ok"},
      {"byname_with_aliases", {"gethostbyname", "many.test"}, "ok"},
      {"byname2", {"gethostbyname2", "ok.test"}, "ok"},
      {"byname2_noname", {"gethostbyname2", "nx.test"}, "eai_noname"},
      {"byaddr", {"gethostbyaddr", "10.4.4.4"}, "ok"},
      {"byaddr_with_aliases", {"gethostbyaddr", "10.1.1.1"}, "ok"},
      {"byname_r_with_aliases", {"gethostbyname_r", "many.test"}, "ok"},
      {"byname2_r_with_aliases", {"gethostbyname2_r", "many.test"}, "ok"},
      {"byaddr_r_with_aliases", {"gethostbyaddr_r", "10.1.1.1"}, "ok"},
      {"byname_r_four_threads", {"--threads", "4", "--times", "5", "gethostbyname_r", "many.test"}, "ok", 20},
      {"nameinfo", {"getnameinfo", "10.4.4.4"}, "ok"},
      {"nameinfo_with_aliases", {"getnameinfo", "10.1.1.1"}, "ok"},
      {"nameinfo_numeric", {"--flags", "1", "getnameinfo", "10.4.4.4"}, "ok", 0},
  };
}

class LibcLookupCase : public LibcLookup, public ::testing::WithParamInterface<Case> {
 protected:
  static void expect_counts(const std::string& library, const std::string& program, const std::string& outcome) {
    const Case& asked = GetParam();
    const Actor actor = must(Actor::create(library + "_" + asked.name, program));
    double said_seconds = 0;
    for (int run = 1; run <= 2; ++run) {
      SCOPED_TRACE("run " + std::to_string(run));
      const auto said = must(resolver_->run(actor, asked.arguments));
      for (const Said& one : said) EXPECT_EQ(one.word, outcome);
      for (const Said& one : said) said_seconds += one.seconds;
      const LookupCounts counted = counts(actor);
      const double expected = run * asked.counted;
      std::map<std::string, double> ended;
      if (expected > 0) ended[outcome] = expected;
      EXPECT_EQ(counted.ended, ended);
      EXPECT_EQ(counted.failures, outcome == "ok" ? (std::map<std::string, double>{}) : ended);
      EXPECT_EQ(counted.queries_counted, expected);
      if (expected > 0) {
        EXPECT_NEAR(counted.seconds, said_seconds, 0.2 * said_seconds + 0.001 * expected);
      }
    }
  }
};

TEST_P(LibcLookupCase, IsCountedOnceWithGlibc) { expect_counts("glibc", CONNSCOPE_LOOKUP_ACTOR, GetParam().outcome); }

TEST_P(LibcLookupCase, IsCountedOnceWithMusl) {
  if (!has_musl()) {
    if (bpf_tests_required()) FAIL() << "needs musl-gcc (scripts/setup.sh --test)";
    GTEST_SKIP() << "needs musl-gcc";
  }
  const Case& asked = GetParam();
  expect_counts("musl", CONNSCOPE_LOOKUP_ACTOR_MUSL, asked.musl_outcome.empty() ? asked.outcome : asked.musl_outcome);
}

INSTANTIATE_TEST_SUITE_P(Cases, LibcLookupCase, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

/* --- look-ups that are under way
 * --------------------------------------------------------------------------------------- */

/// The agent's map of that name.
UniqueFd find_map(const std::string& name) {
  for (std::uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;) {
    UniqueFd map(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    if (map && bpf_obj_get_info_by_fd(map.get(), &info, &size) == 0 && info.name == name) return map;
  }
  return {};
}

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

TEST_F(LibcLookup, QueriesOfALookupAreJoinedToIt) {
  struct {
    const char* name;
    std::uint64_t queries;
    const char* outcome;
  } constexpr kRuns[] = {{"d400.test", 3, "ok"}, {"silent.test", 2, "eai_again"}};
  const UniqueFd lookups = find_map("lookups");
  ASSERT_TRUE(lookups);
  for (const auto& run : kRuns) {
    const Actor actor = must(Actor::create(std::string("joined_") + run.outcome, CONNSCOPE_LOOKUP_ACTOR));
    ChildProcess child = resolver_->start(actor, {"--wait", "getaddrinfo", run.name});
    must(child.write_input("\n"));
    const auto thread = static_cast<std::uint32_t>(child.pid());
    lookup now{};
    ASSERT_TRUE(eventually(kLimit, [&] { return bpf_map_lookup_elem(lookups.get(), &thread, &now) == 0; }));
    EXPECT_EQ(now.function, static_cast<std::uint64_t>(LOOKUP_GETADDRINFO));
    now.queries += run.queries;
    ASSERT_EQ(bpf_map_update_elem(lookups.get(), &thread, &now, BPF_EXIST), 0);
    must(child.wait(kLimit));
    const LookupCounts counted = counts(actor);
    EXPECT_EQ(counted.ended, (std::map<std::string, double>{{run.outcome, 1}}));
    EXPECT_GE(counted.queries, static_cast<double>(run.queries));
    EXPECT_EQ(counted.failures.count("eai_again"), 0U) << "what was seen on the wire is told there";
  }
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
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig));
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
  const AgentProcess agent =
      must(AgentProcess::start({CONNSCOPE_AGENT}, std::string(kConfig) + "[probe.tcp]\nenabled = false\n"));
  const AgentProcess few = must(AgentProcess::start(
      {CONNSCOPE_AGENT}, "[probe.libc_lookup]\nlibraries = 1\nrescan = \"100ms\"\n[probe.tcp]\nenabled = false\n"));
  EXPECT_EQ(must(few.scrape()).count("connscope_probe_info", {{"probe", "libc_lookup"}, {"hook", "libraries"}}), 1U);
  EXPECT_EQ(times_in(few.log(), "goes without libraries"), 1U) << few.log();
  EXPECT_EQ(must(agent.scrape()).count("connscope_probe_info", {{"probe", "libc_lookup"}, {"hook", "libraries"}}), 0U);
}

}  // namespace
}  // namespace connscope::testing
