// SPDX-License-Identifier: Apache-2.0
#include "exporters/statsd.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "agent/config/message.h"
#include "agent/metrics/utf8.h"
#include "exporters/datagram_sender.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::Aggregate;
using metrics::Number;
using metrics::Report;
using metrics::ReportedMetric;

bool is_part_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// One part of a path.
void append_part(std::string_view text, std::string& out) {
  for (const char c : text) out += is_part_character(c) ? c : '_';
}

/// Several parts with dots between them.
void append_parts(std::string_view text, std::string& out) {
  for (const char c : text) out += is_part_character(c) || c == '.' ? c : '_';
}

/// A tag may have any text but what ends it, or the line.
void append_tag_text(std::string_view text, std::string_view forbidden, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = metrics::utf8_length(text, at);
    const char c = text[at];
    const bool is_legal = length > 1 || (length == 1 && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f &&
                                         forbidden.find(c) == std::string_view::npos);
    if (is_legal) {
      out += text.substr(at, length);
    } else {
      out += '_';
    }
    at += std::max<std::size_t>(length, 1);
  }
}

/// Writes the lines of one metric.
class MetricLines {
 public:
  MetricLines(const ReportedMetric& metric, const StatsdStyle& style, bool accumulated, PacketWriter& packets)
      : style_(style), counter_type_(accumulated ? "|g" : "|c"), packets_(packets) {
    path_ = style.prefix;
    if (!metric.id.prefix.empty()) {
      append_part(metric.id.prefix, path_);
      path_ += '.';
    }
    append_parts(metric.id.id, path_);
    for (const auto& [name, value] : metric.id.tags) add_label(name, value, path_, tags_);
  }

  void operator()(const metrics::Distribution& reading) {
    const bool has_no_go = reading.aggregate.no_go().count != 0;
    if (reading.aggregate.go().count != 0 || !has_no_go) write_side(".go", reading.aggregate.go());
    if (has_no_go) write_side(".no_go", reading.aggregate.no_go());
  }

  void operator()(const metrics::OutcomeHistogram& reading) {
    for (const auto& [outcome, count] : reading.buckets()) write_outcome(outcome, count);
    if (reading.buckets().empty()) write("", std::uint64_t{0}, counter_type_);
  }

  void operator()(const metrics::Sum& reading) { write("", reading.total, counter_type_); }
  void operator()(const metrics::Level& reading) { write("", reading.value, "|g"); }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  void add_label(std::string_view name, std::string_view value, std::string& path, std::string& tags) const {
    if (style_.tags == StatsdTags::kPath) {
      path += '.';
      append_part(name, path);
      path += '.';
      append_part(value, path);
      return;
    }
    tags += tags.empty() ? "|#" : ",";
    append_tag_text(name, ":,|#", tags);
    tags += ':';
    append_tag_text(value, ",|#", tags);
  }

  void write_side(std::string_view side, const Aggregate::Side& values) {
    const std::string name(side);
    write(name + ".count", values.count, counter_type_);
    if (values.count == 0) return;
    write(name + ".sum", values.sum, counter_type_);
    write(name + ".mean", *values.mean(), "|g");
    write(name + ".min", *values.min, "|g");
    write(name + ".max", *values.max, "|g");
  }

  /// `stage/reason`: in a path two parts, else two tags.
  void write_outcome(std::string_view outcome, std::uint64_t count) {
    const std::size_t slash = outcome.find('/');
    const std::string_view stage = outcome.substr(0, slash);
    const std::string_view reason = outcome.substr(slash + 1);
    std::string path = path_;
    std::string tags = tags_;
    if (style_.tags == StatsdTags::kPath) {
      add_label(stage, reason, path, tags);
    } else {
      add_label("stage", stage, path, tags);
      add_label("reason", reason, path, tags);
    }
    write_line(path, count, counter_type_, tags);
  }

  void write(std::string_view suffix, const Number& value, std::string_view type) {
    write_line(path_ + std::string(suffix), value, type, tags_);
  }

  void write_line(const std::string& name, const Number& value, std::string_view type, const std::string& tags) {
    const double number = metrics::as_double(value);
    if (!std::isfinite(number)) {
      ++refused_;
      return;
    }
    group_.clear();
    if (type == "|g" && number < 0) group_ += name + ":0|g" + tags + '\n';
    group_ += name + ':';
    append_number(value, group_);
    group_ += type;
    group_ += tags;
    packets_.add(group_);
  }

  const StatsdStyle& style_;
  std::string_view counter_type_;
  PacketWriter& packets_;
  std::string path_;
  std::string tags_;
  std::string group_;
  std::uint64_t refused_ = 0;
};

void write_outliers(const Report& report, const StatsdStyle& style, PacketWriter& packets) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const metrics::Outlier& outlier : report.outliers) ++counts[{outlier.process, outlier.id}];
  for (const auto& [key, count] : counts) {
    std::string line = style.prefix;
    append_part(key.first, line);
    line += '.';
    append_parts(key.second, line);
    line += ".outliers:";
    append_number(count, line);
    line += "|c";
    packets.add(line);
  }
}

class StatsdExporter final : public ReportExporter {
 public:
  StatsdExporter(DatagramAddress address, StatsdStyle style, std::size_t packet_bytes)
      : sender_(std::move(address)), style_(std::move(style)), packet_bytes_(packet_bytes) {}

  Sent send(const Report& report) override {
    PacketWriter packets(packet_bytes_, [this](std::string_view packet) { return sender_.send(packet); });
    const std::uint64_t refused = encode_statsd(report, style_, packets);
    packets.flush();
    return {packets.packets(), packets.bytes(), refused + packets.refused(), packets.status()};
  }

 private:
  DatagramSender sender_;
  StatsdStyle style_;
  std::size_t packet_bytes_;
};

DatagramAddress parse_address(const config::Section& section) {
  const std::string text = section.text("address", "127.0.0.1:8125");
  auto address = DatagramAddress::parse(text);
  if (!address) {
    section.fail("address", config::in_quotes(text) +
                                " is not an address; allowed: HOST:PORT, [IPV6]:PORT, or unix:/PATH of a socket");
  }
  return address.value_or(DatagramAddress{"127.0.0.1", "8125", ""});
}

StatsdStyle parse_style(const config::Section& section) {
  StatsdStyle style;
  const std::string tags = section.one_of("tags", "path", {"path", "dogstatsd"});
  style.tags = tags == "path" ? StatsdTags::kPath : StatsdTags::kDogStatsd;
  const std::string prefix = section.text("prefix", "");
  const auto is_legal = [](char c) { return is_part_character(c) || c == '.'; };
  if (!std::all_of(prefix.begin(), prefix.end(), is_legal))
    section.fail("prefix", config::in_quotes(prefix) + " is no name; allowed: letters, digits, _ and -, with dots");
  style.prefix = prefix.empty() || prefix.back() == '.' ? prefix : prefix + ".";
  return style;
}

}  // namespace

std::uint64_t encode_statsd(const Report& report, const StatsdStyle& style, PacketWriter& packets) {
  std::uint64_t refused = 0;
  for (const ReportedMetric& metric : report.metrics) {
    MetricLines lines(metric, style, report.accumulated, packets);
    std::visit(lines, metric.reading);
    refused += lines.refused();
  }
  write_outliers(report, style, packets);
  return refused;
}

std::unique_ptr<ReportExporter> make_statsd_exporter(const config::Section& section,
                                                     const ExporterServices& /*services*/) {
  // 1432 bytes fit into one frame of an Ethernet, whatever the headers.
  const auto packet_bytes = static_cast<std::size_t>(section.integer("packet_bytes", 1432, 256, 65000));
  return std::make_unique<StatsdExporter>(parse_address(section), parse_style(section), packet_bytes);
}

}  // namespace connscope::exporters
