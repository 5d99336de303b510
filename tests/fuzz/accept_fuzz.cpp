// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an Accept and Accept-Encoding header. Beyond not crashing: the choice is one of the offers, a header
// has the same meaning whatever surrounds it that the grammar calls nothing, and an exclusion always holds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/http/accept.h"

namespace {

using connscope::http::accepts_gzip;
using connscope::http::choose_offer;
using connscope::http::Offer;

void require(bool holds) {
  if (!holds) std::abort();
}

/// An open quote reaches into whatever is appended, so only headers without quotes can be extended.
void check_extensions(const std::string& header, const std::vector<Offer>& offers) {
  require(choose_offer(header + " ,\t, ", offers) == choose_offer(header, offers));
  require(accepts_gzip(header + " ,\t, ") == accepts_gzip(header));
  require(choose_offer(header + ", */x", offers) == choose_offer(header, offers));
  // Without parameters no range in the header is as specific as this one, which therefore has the last word.
  if (header.find(';') != std::string::npos) return;
  const std::string open_metrics = ",application/openmetrics-text;version=1.0.0";
  require(choose_offer(header + open_metrics + ";q=0", offers) != 1U);
  require(choose_offer(header + open_metrics, offers) == 1U);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Offer> offers = {
      {"text/plain; version=0.0.4", false},
      {"application/openmetrics-text; version=1.0.0", true},
      {"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", true}};
  const std::string header(reinterpret_cast<const char*>(data), size);
  const auto chosen = choose_offer(header, offers);
  require(chosen.has_value() && *chosen < offers.size());
  require(!choose_offer(header, {}).has_value());
  require(choose_offer(header, {{header, false}, {header, true}}).value() < 2);  // an offer may be nonsense as well
  if (header.find('"') == std::string::npos) check_extensions(header, offers);
  return 0;
}
