// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/identity_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>

namespace connscope::identity {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr IdentityTable::Time kNow{1000s};

/// The kernel's tables, in memory.
class FakeKernel final : public IdentitySource {
 public:
  void add(std::uint64_t id, std::string_view exe_names, std::string_view cgroup_names = {}, std::uint32_t uid = 0) {
    identity_info info{};
    info.key.exe_hash = id;
    info.key.uid = uid;
    info.exe_bytes = static_cast<std::uint32_t>(exe_names.size());
    std::copy(exe_names.begin(), exe_names.end(), info.exe);
    info.cgroup_bytes = static_cast<std::uint32_t>(cgroup_names.size());
    std::copy(cgroup_names.begin(), cgroup_names.end(), info.cgroup);
    infos[id] = info;
  }
  void add_program(std::uint64_t id, std::string_view exe_names, std::string_view program) {
    add(id, exe_names);
    std::copy(program.begin(), program.end(), infos[id].program);
  }
  Result<identity_info> read(std::uint64_t id) override {
    ++reads;
    const auto info = infos.find(id);
    if (info == infos.end()) return Error::from_errno("identity_infos", ENOENT);
    return info->second;
  }
  Result<std::uint64_t> id_of_process(std::uint32_t pid) override {
    const auto id = ids_of_processes.find(pid);
    if (id == ids_of_processes.end()) return Error::from_errno("identity_cache", ENOENT);
    return id->second;
  }
  [[nodiscard]] Result<identity_program> program_of(std::uint32_t /*pid*/) const override {
    return Error::from_errno("none", ENOENT);
  }
  Status set_left_out(const identity_key& key, std::uint64_t id, left_out_by by) override {
    EXPECT_EQ(key.exe_hash, id);
    if (by == LEFT_OUT_BY_NOTHING) {
      ignored.erase(id);
    } else {
      ignored[id] = by;
    }
    return {};
  }
  Status forget(const identity_key& key) override {
    forgotten.insert(key.exe_hash);
    return {};
  }
  Status erase(std::uint64_t id) override {
    infos.erase(id);
    return {};
  }
  Status publish(const CaptureWishes& wanted) override {
    ++publications;
    wishes = wanted;
    return {};
  }
  Result<LeftOutCounts> left_out() override { return LeftOutCounts{0, 7, 8}; }

  std::map<std::uint64_t, identity_info> infos;
  std::map<std::uint32_t, std::uint64_t> ids_of_processes;
  std::map<std::uint64_t, left_out_by> ignored;
  std::set<std::uint64_t> forgotten;
  int reads = 0;
  int publications = 0;
  CaptureWishes wishes;
};

ProcessRules rules(const std::string& toml) {
  auto document = config::Document::parse(toml, "test.toml");
  EXPECT_TRUE(document);
  auto parsed = ProcessRules::parse(document->root());
  const auto legal = document->finish();
  EXPECT_TRUE(legal) << legal.error().message();
  return parsed;
}

TEST(PathOfNames, TurnsLeafFirstNamesIntoAPath) {
  EXPECT_EQ(path_of_names("nginx\0sbin\0usr\0"sv, false), "/usr/sbin/nginx");
  EXPECT_EQ(path_of_names("nginx\0sbin\0"sv, true), ".../sbin/nginx");
  EXPECT_EQ(path_of_names("nginx"sv, false), "/nginx");
  EXPECT_EQ(path_of_names({}, false), "/");
}

TEST(IdentityTable, WithoutARuleThePrefixIsTheExecutablesBaseName) {
  FakeKernel kernel;
  kernel.add(10, "nginx\0sbin\0usr\0"sv);
  IdentityTable table(kernel, rules(""), {});
  EXPECT_EQ(table.label_of(10).prefix, "nginx");
  EXPECT_EQ(table.label_of(10).prefix, "nginx");
  EXPECT_EQ(kernel.reads, 1) << "an identity is looked up once";
}

TEST(IdentityTable, L15_FirstRuleThatMatchesGivesThePrefix) {
  FakeKernel kernel;
  kernel.add(10, "firefox-bin\0firefox\0lib\0"sv);
  kernel.add(11, "x\0"sv, "web.service\0system.slice\0"sv);
  IdentityTable table(kernel,
                      rules("[[process]]\nprefix = \"ui\"\nexe = \"*/firefox*\"\n"
                            "[[process]]\nprefix = \"web\"\nunit = \"web.service\"\n"),
                      {});
  EXPECT_EQ(table.label_of(10).prefix, "ui");
  EXPECT_EQ(table.label_of(11).prefix, "web");
}

TEST(IdentityTable, AProcessThatOnlyUserspaceKnowsHasItsLabelByTheSameRulesAndLimit) {
  FakeKernel kernel;
  kernel.add(10, "a\0"sv);
  IdentityLimits limits;
  limits.prefixes = 2;
  IdentityTable table(kernel, rules("[[process]]\nprefix = \"ui\"\nexe = \"*/firefox*\"\n"), limits);
  EXPECT_EQ(table.label_of(10).prefix, "a");
  ProcessAttributes process;
  process.exe = "/usr/lib/firefox/firefox-bin";
  EXPECT_EQ(table.label_of(process).prefix, "ui");
  process.exe = "/bin/b";
  EXPECT_EQ(table.label_of(process).prefix, "other");
  EXPECT_EQ(table.folded(), 1U);
}

TEST(IdentityTable, AProcessThatIsGoneHasTheLabelThatTheKernelHalfKnows) {
  FakeKernel kernel;
  kernel.add(10, "curl\0bin\0usr\0"sv);
  kernel.ids_of_processes = {{4321, 10}, {4322, IDENTITY_IGNORED}};
  IdentityTable table(kernel, rules(""), {});
  ASSERT_TRUE(table.label_of_process(4321));
  EXPECT_EQ(table.label_of_process(4321)->prefix, "curl");
  EXPECT_FALSE(table.label_of_process(4322));
  EXPECT_FALSE(table.label_of_process(4323));
}

TEST(IdentityTable, AnInterpretersPrefixIsWhatItRuns) {
  FakeKernel kernel;
  kernel.add_program(10, "python3.11\0bin\0usr\0"sv, "worker.py");
  kernel.add_program(11, "python3.11\0bin\0usr\0"sv, "");
  kernel.add_program(12, "python3.11\0bin\0usr\0"sv, "billing.py");
  kernel.add_program(13, "python3.11\0bin\0usr\0"sv, "bad\xff.py");
  IdentityTable table(kernel, rules("[[process]]\nprefix = \"money\"\nscript = \"billing*\"\n"), {});
  EXPECT_EQ(table.label_of(10).prefix, "worker");
  EXPECT_EQ(table.label_of(11).prefix, "python3.11");
  EXPECT_EQ(table.label_of(12).prefix, "money");
  EXPECT_EQ(table.label_of(13).prefix, "bad\xef\xbf\xbd");
}

TEST(IdentityTable, ExcludedPrefixesAreToldToTheKernelAsThat) {
  FakeKernel kernel;
  kernel.add(10, "cron\0"sv);
  kernel.add(11, "nginx\0"sv);
  IdentityTable table(kernel, rules("[identity]\nexclude = [\"cr*\"]\n"), {});
  EXPECT_FALSE(table.label_of(10).captured);
  EXPECT_TRUE(table.label_of(11).captured);
  EXPECT_THAT(kernel.ignored, ElementsAre(Pair(10, LEFT_OUT_BY_EXCLUDE)));
  ASSERT_TRUE(table.set_rules(rules("[[process]]\nexe = \"*cron\"\ncapture = false\n"), {}));
  EXPECT_THAT(kernel.ignored, ElementsAre(Pair(10, LEFT_OUT_BY_RULE)));
  ASSERT_TRUE(table.set_rules(rules(""), {}));
  EXPECT_THAT(kernel.ignored, IsEmpty());
  EXPECT_EQ(table.left_out().value()[LEFT_OUT_BY_EXCLUDE], 8U);
}

TEST(IdentityTable, PublishesWhichInterpretersAreWanted) {
  FakeKernel kernel;
  IdentityTable table(kernel, rules("[identity]\ninterpreters = \"python\"\n"), {});
  ASSERT_TRUE(table.publish());
  EXPECT_EQ(kernel.wishes.interpreters, 1U << INTERPRETER_PYTHON);
  ASSERT_TRUE(table.set_rules(rules("[identity]\ninterpreters = false\n"), {}));
  EXPECT_EQ(kernel.wishes.interpreters, 0U);
}

TEST(IdentityTable, BytesThatAreNotUtf8DoNotReachALabel) {
  FakeKernel kernel;
  kernel.add(10, "bad\xffname\0bin\0"sv);
  IdentityTable table(kernel, rules(""), {});
  EXPECT_EQ(table.label_of(10).prefix, "bad\xef\xbf\xbdname");
}

TEST(IdentityTable, WhatTheKernelHasNoRoomForIsOther) {
  FakeKernel kernel;
  IdentityTable table(kernel, rules(""), {});
  EXPECT_EQ(table.label_of(IDENTITY_UNKNOWN).prefix, "other");
  EXPECT_EQ(table.label_of(12345).prefix, "other");
}

TEST(IdentityTable, PrefixesBeyondTheLimitFoldIntoOther) {
  FakeKernel kernel;
  for (std::uint64_t id = 10; id < 14; ++id) kernel.add(id, std::string(1, static_cast<char>('a' + id - 10)));
  kernel.add(20, "a"sv);
  IdentityLimits limits;
  limits.prefixes = 2;
  IdentityTable table(kernel, rules(""), limits);
  EXPECT_EQ(table.label_of(10).prefix, "a");
  EXPECT_EQ(table.label_of(11).prefix, "b");
  EXPECT_EQ(table.label_of(12).prefix, "other");
  EXPECT_EQ(table.label_of(13).prefix, "other");
  EXPECT_EQ(table.label_of(20).prefix, "a");
  EXPECT_EQ(table.prefixes(), 2U);
  EXPECT_EQ(table.folded(), 2U);
}

TEST(IdentityTable, AnExcludedProcessIsMarkedInTheKernelAtFirstSight) {
  FakeKernel kernel;
  kernel.add(10, "noise\0bin\0"sv);
  IdentityTable table(kernel, rules("[[process]]\nexe = \"*/noise\"\ncapture = false\n"), {});
  EXPECT_FALSE(table.label_of(10).captured);
  EXPECT_THAT(kernel.ignored, ElementsAre(Pair(10, LEFT_OUT_BY_RULE)));
  EXPECT_EQ(kernel.publications, 1);
}

TEST(IdentityTable, NewRulesHoldForKnownIdentitiesAtOnce) {
  FakeKernel kernel;
  kernel.add(10, "a\0bin\0"sv);
  kernel.add(11, "b\0bin\0"sv);
  IdentityTable table(kernel, rules(""), {});
  table.label_of(10);
  table.label_of(11);
  const auto before = table.generation();
  ASSERT_TRUE(table.set_rules(rules("[[process]]\nprefix = \"first\"\nexe = \"*/a\"\n"
                                    "[[process]]\nexe = \"*/b\"\ncapture = false\n"),
                              {}));
  EXPECT_NE(table.generation(), before);
  EXPECT_EQ(table.label_of(10).prefix, "first");
  EXPECT_THAT(kernel.ignored, ElementsAre(Pair(11, LEFT_OUT_BY_RULE)));
  EXPECT_EQ(kernel.reads, 2) << "a changed rule needs no new capture";
  ASSERT_TRUE(table.set_rules(rules(""), {}));
  EXPECT_THAT(kernel.ignored, IsEmpty());
  EXPECT_EQ(table.label_of(11).prefix, "b");
}

TEST(IdentityTable, TheKernelReadsArgumentsOnlyWhenARuleWantsThem) {
  FakeKernel kernel;
  IdentityTable table(kernel, rules(""), {});
  ASSERT_TRUE(table.publish());
  EXPECT_FALSE(kernel.wishes.args);
  ASSERT_TRUE(table.set_rules(rules("args = true\n[[process]]\nprefix = \"x\"\nargs = \"*a.py*\"\n"), {}));
  EXPECT_TRUE(kernel.wishes.args);
}

TEST(IdentityTable, AnIdleIdentityIsForgottenFirstAndRetiredAfterTheGraceTime) {
  FakeKernel kernel;
  kernel.add(10, "a"sv);
  IdentityLimits limits;
  limits.idle = 60s;
  limits.grace = 10s;
  IdentityTable table(kernel, rules(""), limits);
  table.touch(10, kNow);
  EXPECT_THAT(table.retire_idle(kNow + 59s).value(), IsEmpty());
  EXPECT_THAT(kernel.forgotten, IsEmpty());
  EXPECT_THAT(table.retire_idle(kNow + 60s).value(), IsEmpty());
  EXPECT_THAT(kernel.forgotten, ElementsAre(10));
  EXPECT_THAT(table.retire_idle(kNow + 69s).value(), IsEmpty());
  EXPECT_THAT(table.retire_idle(kNow + 70s).value(), ElementsAre(10));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_THAT(kernel.infos, IsEmpty());
}

TEST(IdentityTable, AnExcludedIdentityIsRetiredToo) {
  FakeKernel kernel;
  kernel.add(10, "noise"sv);
  IdentityLimits limits;
  limits.idle = 60s;
  limits.grace = 10s;
  IdentityTable table(kernel, rules("[[process]]\nexe = \"*\"\ncapture = false\n"), limits);
  table.label_of(10);
  (void)table.retire_idle(kNow);
  (void)table.retire_idle(kNow + 60s);
  EXPECT_THAT(kernel.forgotten, ElementsAre(10));
  EXPECT_THAT(table.retire_idle(kNow + 70s).value(), ElementsAre(10));
  EXPECT_EQ(table.size(), 0U) << "churning processes must not fill the kernel's table";
}

TEST(IdentityTable, ALateEventPutsTheRetirementOff) {
  FakeKernel kernel;
  kernel.add(10, "a"sv);
  IdentityLimits limits;
  limits.idle = 60s;
  limits.grace = 10s;
  IdentityTable table(kernel, rules(""), limits);
  table.touch(10, kNow);
  (void)table.retire_idle(kNow + 60s);
  table.touch(10, kNow + 65s);
  EXPECT_THAT(table.retire_idle(kNow + 74s).value(), IsEmpty());
  EXPECT_THAT(table.retire_idle(kNow + 75s).value(), ElementsAre(10));
}

TEST(IdentityTable, AnAnnouncedIdentityIsNotRetiredBeforeItsTime) {
  FakeKernel kernel;
  kernel.add(10, "a"sv);
  IdentityTable table(kernel, rules(""), {});
  table.label_of(10);
  EXPECT_THAT(table.retire_idle(kNow).value(), IsEmpty());
  EXPECT_THAT(kernel.forgotten, IsEmpty());
}

}  // namespace
}  // namespace connscope::identity
