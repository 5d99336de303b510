// SPDX-License-Identifier: Apache-2.0
//
// getaddrinfo() of the C library of this host, by a copy of `getent` whose resolv.conf names the scripted server.
#include <sys/wait.h>

#include <memory>

#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/lab.h"
#include "tests/integration/world_test.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

struct Nothing {};

constexpr char kGetent[] = "/usr/bin/getent";
constexpr char kResolv[] = "nameserver 10.77.0.2\noptions timeout:1 attempts:2\n";
// Its own files in the place of the system's, in a mount namespace that ends with it.
constexpr char kInItsPlace[] =
    "mount --bind \"$1\" /etc/resolv.conf && mount --bind \"$2\" /etc/nsswitch.conf && shift 2 && exec \"$@\"";

class DnsGlibcTest : public WorldTest<Nothing> {
 protected:
  static void SetUpTestSuite() {
    begin([](const NetNamespace&) {}, kManyPrefixes);
  }

  void SetUp() override {
    WorldTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    // Each test has process names of its own.
    const std::string own = std::to_string(++made_);
    folder_ = std::make_unique<TempDir>(must(TempDir::create()));
    client_ = std::make_unique<Actor>(must(Actor::create("getent_" + own, kGetent)));
    server_ = std::make_unique<Actor>(must(Actor::create("getent_s_" + own, CONNSCOPE_DNS_ACTOR)));
    listener_ = std::make_unique<Listener>(must(Listener::serve(*server_, {"10.77.0.2", "53"}, world_->server().fd())));
  }

  /// Looks that name up; the exit status of getent, 2 where it found nothing.
  [[nodiscard]] int look_up(const std::string& name, const std::string& resolv = kResolv) const {
    SpawnOptions options;
    options.argv = {"unshare",
                    "--mount",
                    "sh",
                    "-c",
                    kInItsPlace,
                    "sh",
                    must(folder_->write("resolv.conf", resolv)),
                    must(folder_->write("nsswitch.conf", "hosts: dns\n")),
                    client_->path(),
                    "ahosts",
                    name};
    options.network_namespace = world_->client().fd();
    auto child = must(ChildProcess::spawn(options));
    const int status = must(child.wait(std::chrono::seconds(15)));
    EXPECT_EQ(child.standard_error(), "");
    return WEXITSTATUS(status);
  }
  [[nodiscard]] DnsCounts settled() const {
    DnsCounts counts;
    eventually(std::chrono::seconds(10), [&] {
      counts = DnsCounts::of(must(agent_->scrape()), client_->name());
      return counts.in_flight == 0;
    });
    return counts;
  }

  static inline int made_ = 0;
  std::unique_ptr<TempDir> folder_;
  std::unique_ptr<Actor> client_;
  std::unique_ptr<Actor> server_;
  std::unique_ptr<Listener> listener_;
};

DnsCounts both() {
  DnsCounts counts;
  counts.queries = counts.ok = {{"udp A", 1}, {"udp AAAA", 1}};
  counts.responses = {{"NOERROR A", 1}, {"NOERROR AAAA", 1}};
  return counts;
}

TEST_F(DnsGlibcTest, BothQueriesOfALookUpAreAnswered) {
  EXPECT_EQ(look_up("ok.glibc.test."), 0);
  expect_counts(settled(), both(), 1);
}

TEST_F(DnsGlibcTest, BothAreAskedAnewOverTcpWhenOneIsTruncated) {
  EXPECT_EQ(look_up("tc-slow-aaaa.glibc.test."), 0);
  DnsCounts wanted = both();
  wanted.truncated = 1;
  expect_counts(settled(), wanted, 1);
}

TEST_F(DnsGlibcTest, BothAreAskedAnewOverTcpWhenBothAreTruncated) {
  EXPECT_EQ(look_up("tc.glibc.test."), 0);
  DnsCounts counts = settled();
  // Whether the second comes before the socket is closed is open.
  EXPECT_GE(counts.truncated, 1);
  EXPECT_LE(counts.truncated, 2);
  counts.truncated = 0;
  expect_counts(counts, both(), 1);
}

TEST_F(DnsGlibcTest, NoSuchNameIsTheFailureOfBoth) {
  EXPECT_EQ(look_up("nxdomain.glibc.test."), 2);
  DnsCounts wanted;
  wanted.queries = wanted.failed = both().queries;
  wanted.responses = {{"NXDOMAIN A", 1}, {"NXDOMAIN AAAA", 1}};
  wanted.failures = {{"nxdomain", 2}};
  expect_counts(settled(), wanted, 1);
}

TEST_F(DnsGlibcTest, ASearchListAsksAgainUnderEachDomain) {
  EXPECT_EQ(look_up("nxdomain", std::string(kResolv) + "search a.test b.test c.test\n"), 2);
  // As it stands last, for it has no dot.
  const DnsCounts counts = settled();
  EXPECT_EQ(counts.queries, (Counts{{"udp A", 4}, {"udp AAAA", 4}}));
  EXPECT_EQ(counts.failures, (Counts{{"nxdomain", 8}}));
}

TEST_F(DnsGlibcTest, WithoutAnAnswerBothAreAskedTwiceAndTimeOut) {
  EXPECT_EQ(look_up("silent.glibc.test."), 2);
  DnsCounts wanted;
  wanted.queries = wanted.failed = both().queries;
  wanted.failures = {{"timeout", 2}};
  wanted.retries = 2;
  const DnsCounts counts = settled();
  expect_counts(counts, wanted, 1);
  EXPECT_GE(counts.seconds, 2 * 1.9);
}

}  // namespace
}  // namespace connscope::testing
