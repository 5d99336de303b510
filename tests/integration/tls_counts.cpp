// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tls_counts.h"

#include <gtest/gtest.h>

namespace connscope::testing {

TlsCounts TlsCounts::of(const Exposition& shown, const std::string& process, const std::string& role) {
  static constexpr char kDurations[] = "conn_tls_handshake_duration_seconds";
  const LabelMap labels = {{"process", process}, {"role", role}};
  const auto with = [&](const char* label, const char* value) {
    LabelMap more = labels;
    more[label] = value;
    return more;
  };
  TlsCounts counts;
  counts.ok = grouped(shown, std::string(kDurations) + "_count", with("outcome", "ok"), {"version"});
  counts.failed = grouped(shown, std::string(kDurations) + "_count", with("outcome", "fail"), {"version"});
  counts.failures = grouped(shown, "conn_failures_total", with("stage", "tls"), {"reason"});
  counts.resumed = grouped(shown, "conn_tls_handshakes_total", with("resumed", "yes"), {"version"});
  counts.in_flight = shown.sum("conn_tls_handshakes_in_flight", labels);
  counts.seconds = shown.sum(std::string(kDurations) + "_sum", labels);
  return counts;
}

TlsCounts TlsCounts::since(const TlsCounts& before) const {
  TlsCounts news = *this;
  news.ok = difference(ok, before.ok);
  news.failed = difference(failed, before.failed);
  news.failures = difference(failures, before.failures);
  news.resumed = difference(resumed, before.resumed);
  news.seconds -= before.seconds;
  return news;
}

void expect_counts(const TlsCounts& counts, const TlsCounts& wanted) {
  EXPECT_EQ(counts.ok, wanted.ok) << "ok";
  EXPECT_EQ(counts.failed, wanted.failed) << "failed";
  EXPECT_EQ(counts.failures, wanted.failures) << "failures";
  EXPECT_EQ(counts.resumed, wanted.resumed) << "resumed";
  EXPECT_EQ(counts.in_flight, 0) << "in flight";
}

bool has_counts(const TlsCounts& counts, const TlsCounts& wanted) {
  return counts.ok == wanted.ok && counts.failed == wanted.failed && counts.failures == wanted.failures &&
         counts.resumed == wanted.resumed && counts.in_flight == 0;
}

void expect_tls_laws(const Exposition& shown, const std::string& process) {
  SCOPED_TRACE("the laws for " + process);
  for (const char* role : {"client", "server"}) {
    const TlsCounts counts = TlsCounts::of(shown, process, role);
    const double ended = shown.sum("conn_tls_handshakes_total", {{"process", process}, {"role", role}});
    EXPECT_EQ(counts.all_ended(), ended) << role;
    EXPECT_GE(total(counts.failures), total(counts.failed)) << role;
    EXPECT_GE(counts.in_flight, 0) << role;
  }
}

}  // namespace connscope::testing
