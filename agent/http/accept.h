// SPDX-License-Identifier: Apache-2.0
//
// Proactive content negotiation: which of our formats an Accept header asks for, and whether gzip is welcome.
// Source: RFC 9110 §12.4.2 (q-values), §12.5.1 (Accept), §12.5.3 (Accept-Encoding), §5.6 (lists, quoted strings).
// Pure functions on views, without allocation; any thread. An element that breaks the grammar is left out alone: the
// rest of the header still counts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connscope::http {

struct Offer {
  /// A media type with the parameters that tell it from its siblings: "application/openmetrics-text; version=1.0.0".
  std::string media_type;
  /// True: only a range that names at least the type ("text/plain", "text/*") asks for it; "*/*" does not.
  bool only_when_named = false;
};

/// The index of the offer to send: the highest q wins, then the more specific range, then the earlier offer. The q of
/// an offer is that of the most specific range that matches it, and 0 excludes it.
/// A range's parameters must be among the offer's, with equal values. Two say nothing about the choice and are
/// skipped: `charset` (all that we send is UTF-8) and `escaping` (all our names are plain, so each scheme gives the
/// same bytes).
/// An absent or empty header means the default, and so does a header that matches none: a scraper is better served by a
/// format that it may not know than by a 406. The default is the first offer that is not `only_when_named`, or the
/// first when all are. Empty only when there are no offers.
[[nodiscard]] std::optional<std::size_t> choose_offer(std::string_view accept_header, const std::vector<Offer>& offers);

/// Whether gzip is acceptable and liked at least as well as an explicit `identity`. An absent header does not ask.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace connscope::http
