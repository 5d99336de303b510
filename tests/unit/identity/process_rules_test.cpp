// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/process_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "agent/config/document.h"

namespace connscope::identity {
namespace {

ProcessRules parse(std::string_view text) {
  const auto document = config::Document::parse(text, "c.toml");
  ProcessRules rules = ProcessRules::parse(document->root());
  const Status status = document->finish();
  EXPECT_TRUE(status) << status.error().message();
  return rules;
}

std::string refused(std::string_view text) {
  const auto document = config::Document::parse(text, "c.toml");
  (void)ProcessRules::parse(document->root());
  const Status status = document->finish();
  return status ? "was accepted" : status.error().message();
}

ProcessAttributes firefox() {
  ProcessAttributes process;
  process.exe = "/usr/lib/firefox/firefox-bin";
  process.comm = "Isolated Web Co";
  process.cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-1.scope";
  process.unit = "app-firefox-1.scope";
  process.container = "c0ffee";
  process.uid = 1000;
  process.user = "ann";
  process.args = "firefox-bin -P work";
  return process;
}

TEST(ProcessRules, WithoutRulesTheExecutableNamesThePrefix) {
  const ProcessRules rules = parse("");
  ProcessAttributes process = firefox();
  EXPECT_EQ(rules.match(process).prefix, "firefox-bin");
  EXPECT_TRUE(rules.match(process).is_captured());
  process.exe = "busybox";
  EXPECT_EQ(rules.match(process).prefix, "busybox");
  process.exe = "";
  EXPECT_EQ(rules.match(process).prefix, "Isolated Web Co");
  process.comm = "";
  EXPECT_EQ(rules.match(process).prefix, "unknown");
}

TEST(ProcessRules, EachMatcherMatches) {
  for (const char* matcher :
       {"exe = '*/firefox*'", "comm = 'Isolated*'", "cgroup = '/user.slice/*'", "unit = 'app-firefox-*.scope'",
        "container = 'c0*'", "uid = 1000", "user = 'ann'", "args = '*-P work'", "script = 'menu.py'"}) {
    const ProcessRules rules = parse("args = true\n[[process]]\nprefix = 'ui'\n" + std::string(matcher));
    ProcessAttributes process = firefox();
    process.script = "menu.py";
    EXPECT_EQ(rules.match(process).prefix, "ui") << matcher;
    EXPECT_EQ(rules.match({}).prefix, "unknown") << matcher;
  }
}

TEST(ProcessRules, AllMatchersOfARuleMustMatch) {
  const ProcessRules rules = parse("[[process]]\nprefix = 'ui'\nexe = '*firefox*'\nuid = 0\n");
  ProcessAttributes process = firefox();
  EXPECT_EQ(rules.match(process).prefix, "firefox-bin");
  process.uid = 0;
  EXPECT_EQ(rules.match(process).prefix, "ui");
}

TEST(ProcessRules, TheFirstMatchWins) {
  const ProcessRules rules = parse(
      "[[process]]\nprefix='a'\nuid=1\n[[process]]\nprefix='b'\nuid=1000\n"
      "[[process]]\nprefix='c'\nexe='*'\n");
  EXPECT_EQ(rules.match(firefox()).prefix, "b");
}

TEST(ProcessRules, CaptureCanBeTurnedOff) {
  const ProcessRules rules = parse(
      "[[process]]\nexe = '*firefox*'\ncapture = false\n"
      "[[process]]\nprefix = 'quiet'\nuid = 0\ncapture = false\n");
  EXPECT_FALSE(rules.match(firefox()).is_captured());
  EXPECT_EQ(rules.match(firefox()).prefix, "firefox-bin");
  EXPECT_FALSE(rules.match({}).is_captured());
  EXPECT_EQ(rules.match({}).prefix, "quiet");
}

TEST(ProcessRules, SaysWhatMustBeRead) {
  EXPECT_FALSE(parse("args = true\n").wishes().args);
  EXPECT_FALSE(parse("[[process]]\nprefix='a'\nuid=0\n").wants_user());
  EXPECT_TRUE(parse("[[process]]\nprefix='a'\nuser='root'\n").wants_user());
  const ProcessRules by_args = parse("args = true\n[[process]]\nprefix='a'\nargs='*'\n");
  EXPECT_TRUE(by_args.wishes().args);
  EXPECT_FALSE(by_args.wants_user());
}

TEST(ProcessRules, RefusesRulesWithoutMatcher) {
  EXPECT_EQ(refused("[[process]]\nprefix = 'ui'\n"),
            "c.toml:1: process: a rule without a matcher; allowed: at least one of exe, script, comm, cgroup, unit, "
            "container, uid, user, args");
}

TEST(ProcessRules, RefusesPrefixesThatAreNone) {
  for (const char* prefix : {"", "1a", "a-b", "a.b", "\xc3\xa9", "a b"}) {
    EXPECT_EQ(
        refused("[[process]]\nuid = 0\nprefix = '" + std::string(prefix) + "'\n"),
        "c.toml:3: process.prefix: is not a prefix; allowed: [a-zA-Z_][a-zA-Z0-9_]*, or none with capture = false");
  }
  EXPECT_EQ(refused("[[process]]\nuid = 0\n"),
            "c.toml:1: process.prefix: is missing; allowed: [a-zA-Z_][a-zA-Z0-9_]*, or none with capture = false");
}

TEST(ProcessRules, RefusesArgsUnlessTheyAreAllowed) {
  const std::string rule = "[[process]]\nprefix = 'a'\nargs = '*x*'\n";
  EXPECT_EQ(refused(rule),
            "c.toml:3: process.args: command lines are not read; allowed: with args = true at the top of the file");
  EXPECT_EQ(refused("args = false\n" + rule),
            "c.toml:4: process.args: command lines are not read; allowed: with args = true at the top of the file");
  EXPECT_EQ(refused("args = true\n" + rule), "was accepted");
}

TEST(ProcessRules, AnInterpretedProgramNamesThePrefixWithoutItsExtension) {
  const ProcessRules rules = parse("");
  ProcessAttributes process = firefox();
  process.script = "menu.py";
  EXPECT_EQ(rules.match(process).prefix, "menu");
  process.script = "63";  // a descriptor
  EXPECT_EQ(rules.match(process).prefix, "firefox-bin");
}

TEST(ProcessRules, InterpretersAreAllLanguagesOrThoseOfAList) {
  const std::uint32_t all = parse("").wishes().interpreters;
  EXPECT_EQ(all, (1U << INTERPRETERS) - 2) << "all but INTERPRETER_NONE";
  EXPECT_EQ(parse("[identity]\ninterpreters = true\n").wishes().interpreters, all);
  EXPECT_EQ(parse("[identity]\ninterpreters = false\n").wishes().interpreters, 0U);
  EXPECT_EQ(parse("[identity]\ninterpreters = []\n").wishes().interpreters, 0U);
  EXPECT_EQ(parse("[identity]\ninterpreters = ['java', 'shell']\n").wishes().interpreters,
            1U << INTERPRETER_JAVA | 1U << INTERPRETER_SHELL | 1U << INTERPRETER_BUSYBOX);
}

TEST(ProcessRules, RefusesInterpretersThatAreUnknown) {
  EXPECT_EQ(
      refused("[identity]\ninterpreters = ['java', 'lua']\n"),
      "c.toml:2: identity.interpreters: \"lua\" is unknown; allowed: true, false, or of python, node, java, ruby, "
      "perl, php, shell");
  EXPECT_EQ(refused("[identity]\ninterpreters = 7\n"),
            "c.toml:2: identity.interpreters: is an integer; allowed: true, false, or of python, node, java, ruby, "
            "perl, php, shell");
}

TEST(ProcessRules, RefusesScriptsUnlessInterpretersAreLookedInto) {
  EXPECT_EQ(refused("[[process]]\nprefix = 'a'\nscript = 'x'\n[identity]\ninterpreters = false\n"),
            "c.toml:3: process.script: what interpreters run is not looked at; allowed: with interpreters = true, or a "
            "list, in [identity]");
}

TEST(ProcessRules, ExcludeLeavesOutPrefixesHoweverTheyCameAbout) {
  const ProcessRules rules = parse(
      "[identity]\nexclude = ['ui', 'fire*']\n[[process]]\nprefix = 'ui'\nuid = 1\n"
      "[[process]]\nexe = '*/firefox-bin'\nuid = 0\ncapture = false\n");
  ProcessAttributes process = firefox();
  EXPECT_EQ(rules.match(process).left_out, LEFT_OUT_BY_EXCLUDE) << "by its own name";
  process.uid = 1;
  EXPECT_EQ(rules.match(process).left_out, LEFT_OUT_BY_EXCLUDE) << "by the name that a rule gave";
  process.uid = 0;
  EXPECT_EQ(rules.match(process).left_out, LEFT_OUT_BY_RULE) << "the rule is first";
  EXPECT_TRUE(rules.match({}).is_captured());
}

TEST(ProcessRules, RefusesToExcludeNothing) {
  EXPECT_EQ(refused("[identity]\nexclude = ['a', '']\n"),
            "c.toml:2: identity.exclude: has an empty string in it; allowed: prefixes, or globs of them such as "
            "\"cron*\"");
}

TEST(ProcessRules, RefusesWrongTypesAndUnknownKeys) {
  EXPECT_EQ(refused("[[process]]\nprefix = 'a'\nuid = 'root'\nunits = 'x'\n"),
            "c.toml:3: process.uid: is a string; allowed: an integer from 0 to 4294967294\n"
            "c.toml:4: process.units: unknown key (did you mean unit?); allowed here: args, capture, cgroup, comm, "
            "container, exe, prefix, script, uid, unit, user");
  EXPECT_EQ(refused("[process]\nprefix = 'a'\n"),
            "c.toml:1: process: is a table; allowed: an array of tables, [[process]]");
}

}  // namespace
}  // namespace connscope::identity
