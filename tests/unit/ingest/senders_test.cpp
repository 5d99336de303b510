// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/senders.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;
using Origin = Sender::Origin;

class SendersTest : public ::testing::Test {
 protected:
  /// A process of /proc as the test wants it.
  void write_process(int pid, const std::string& exe, int start_time, const std::string& args = "app") {
    const std::string folder = root_.path() + "/" + std::to_string(pid);
    std::filesystem::create_directories(folder);
    std::filesystem::remove(folder + "/exe");
    std::filesystem::create_symlink(exe, folder + "/exe");
    write(folder + "/stat", std::to_string(pid) + " (a p) p) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 " +
                                std::to_string(start_time) + " 20 21\n");
    write(folder + "/cgroup", "0::/system.slice/web.service\n");
    write(folder + "/cmdline", args + std::string("\0--x", 4) + '\0');
  }
  static void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

  Result<identity_program> program_of(std::uint32_t pid) const {
    const auto known = programs_.find(pid);
    if (known == programs_.end()) return Error::from_errno("identity_programs", ENOENT);
    return known->second;
  }
  Senders::ProgramOf ask() {
    return [this](std::uint32_t pid) { return program_of(pid); };
  }

  connscope::testing::TempDir root_ = std::move(*connscope::testing::TempDir::create());
  std::map<std::uint32_t, identity_program> programs_;  // that the kernel half knows
  Senders senders_{root_.path(), ask()};
  Senders::Time now_{1000s};
};

TEST_F(SendersTest, TheAttributesAreThoseThatRulesKnow) {
  write_process(7, "/usr/bin/app", 100);
  const SenderPtr sender = senders_.of_process(7, 33, now_);
  EXPECT_EQ(sender->origin, Origin::kProcess);
  EXPECT_EQ(sender->pid, 7);
  EXPECT_EQ(sender->attributes.exe, "/usr/bin/app");
  EXPECT_EQ(sender->attributes.comm, "a p) p");
  EXPECT_EQ(sender->attributes.unit, "web.service");
  EXPECT_EQ(sender->attributes.uid, 33U);
  EXPECT_EQ(sender->attributes.args, "") << "command lines are read only when a rule looks at them";
}

TEST_F(SendersTest, ProcessesThatNoRuleCanTellApartAreOneSender) {
  write_process(7, "/usr/bin/app", 100);
  write_process(8, "/usr/bin/app", 101);
  write_process(9, "/usr/bin/other", 102);
  EXPECT_EQ(senders_.of_process(7, 0, now_), senders_.of_process(8, 0, now_));
  EXPECT_NE(senders_.of_process(7, 0, now_), senders_.of_process(9, 0, now_));
  EXPECT_NE(senders_.of_process(7, 0, now_), senders_.of_process(7, 1, now_));
}

TEST_F(SendersTest, APidThatIsAnotherProcesssNowIsLookedAtAnew) {
  write_process(7, "/usr/bin/app", 100);
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.exe, "/usr/bin/app");
  write_process(7, "/usr/bin/next", 200);
  EXPECT_EQ(senders_.of_process(7, 0, now_ + Senders::kTrust)->attributes.exe, "/usr/bin/next");
}

TEST_F(SendersTest, AProcessThatExecutesAnotherFileIsLookedAtAnew) {
  write_process(7, "/bin/sh", 100);
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.exe, "/bin/sh");
  write_process(7, "/usr/bin/app", 100);
  EXPECT_EQ(senders_.of_process(7, 0, now_ + Senders::kTrust)->attributes.exe, "/usr/bin/app");
}

TEST_F(SendersTest, APacketMayWaitLongerThanItsProcessLives) {
  write_process(7, "/usr/bin/app", 100);
  const SenderPtr living = senders_.of_process(7, 0, now_);
  std::filesystem::remove_all(root_.path() + "/7");
  EXPECT_EQ(senders_.of_process(7, 0, now_ + 5s), living);
}

TEST_F(SendersTest, AProcessThatWasGoneAtFirstSightHasPidAndUid) {
  const SenderPtr gone = senders_.of_process(7, 33, now_);
  EXPECT_EQ(gone->origin, Origin::kGone);
  EXPECT_EQ(gone->pid, 7);
  EXPECT_EQ(gone->attributes.uid, 33U);
}

TEST_F(SendersTest, WithoutAPidNothingIsKnown) { EXPECT_EQ(senders_.of_process(0, 0, now_)->origin, Origin::kUnknown); }

TEST_F(SendersTest, ArgumentsAreReadOnceRulesLookAtThem) {
  write_process(7, "/usr/bin/app", 100);
  (void)senders_.of_process(7, 0, now_);
  senders_.start_anew({true, 0});
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.args, "app --x");
}

TEST_F(SendersTest, WhatAnInterpreterRunsIsTheKernelsWordWhereItHasOne) {
  write_process(7, "/usr/bin/python3.11", 100, "gunicorn: worker [shop]");
  write_process(8, "/usr/bin/python3.11", 100, std::string("python3\0/srv/old.py", 19));
  programs_[7] = {1, INTERPRETER_PYTHON, 0, "gunicorn"};
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.script, "") << "no rule looks at it";
  senders_.start_anew({false, 1U << INTERPRETER_PYTHON});
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.script, "gunicorn");
  EXPECT_EQ(senders_.of_process(8, 0, now_)->attributes.script, "old.py") << "it is older than the agent";
  senders_.start_anew({false, 1U << INTERPRETER_NODE});
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.script, "");
}

TEST_F(SendersTest, AnInterpreterThatExecutesItselfIsLookedAtAgain) {
  senders_.start_anew({false, 1U << INTERPRETER_PYTHON});
  write_process(7, "/usr/bin/python3.11", 100);
  programs_[7] = {1, INTERPRETER_PYTHON, 0, "launcher.py"};
  const SenderPtr launcher = senders_.of_process(7, 0, now_);
  now_ += Senders::kTrust;
  EXPECT_EQ(senders_.of_process(7, 0, now_), launcher);
  programs_[7] = {2, INTERPRETER_PYTHON, 0, "server.py"};
  now_ += Senders::kTrust;
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.script, "server.py");
  programs_.clear();  // it has ended
  now_ += Senders::kTrust;
  EXPECT_EQ(senders_.of_process(7, 0, now_)->attributes.script, "server.py");
}

TEST_F(SendersTest, SendersAreBoundedAndThoseThatNobodyKeepsGiveWay) {
  constexpr std::size_t kMost = 3;
  Senders few(root_.path(), ask(), kMost);
  std::vector<SenderPtr> kept;
  const auto send_as = [&](const std::string& exe) {
    write_process(7, exe, static_cast<int>(kept.size()) + 1);
    now_ += Senders::kTrust;
    kept.push_back(few.of_process(7, 0, now_));
    return kept.back()->origin;
  };
  for (const char* exe : {"/bin/a", "/bin/b", "/bin/c"}) EXPECT_EQ(send_as(exe), Origin::kProcess);
  EXPECT_EQ(send_as("/bin/d"), Origin::kUnknown);
  kept.erase(kept.begin());
  EXPECT_EQ(send_as("/bin/e"), Origin::kProcess);
}

}  // namespace
}  // namespace connscope::ingest
