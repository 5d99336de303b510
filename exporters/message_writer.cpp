// SPDX-License-Identifier: Apache-2.0
#include "exporters/message_writer.h"

#include <cmath>
#include <deque>
#include <nlohmann/json.hpp>
#include <protozero/pbf_writer.hpp>
#include <vector>

#include "agent/metrics/utf8.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

class ProtobufWriter final : public MessageWriter {
 public:
  explicit ProtobufWriter(std::string& out) { open_.emplace_back(out); }

  void begin_message(MessageField field) override { open_.emplace_back(open_.back(), field.number); }
  void begin_element() override { open_.emplace_back(open_.back(), lists_.back()); }
  void end_message() override { open_.pop_back(); }
  void begin_list(MessageField field) override { lists_.push_back(field.number); }
  void end_list() override { lists_.pop_back(); }

  void add_text(MessageField field, std::string_view text) override {
    if (metrics::is_utf8(text)) {
      open_.back().add_string(field.number, text.data(), text.size());
    } else {
      open_.back().add_string(field.number, metrics::to_utf8(text));
    }
  }
  void add_flag(MessageField field, bool value) override { open_.back().add_bool(field.number, value); }
  void add_enumerator(MessageField field, std::int32_t value) override { open_.back().add_enum(field.number, value); }
  void add_double(MessageField field, double value) override { open_.back().add_double(field.number, value); }
  void add_fixed64(MessageField field, std::uint64_t value) override { open_.back().add_fixed64(field.number, value); }
  void add_sfixed64(MessageField field, std::int64_t value) override { open_.back().add_sfixed64(field.number, value); }
  void add_sint32(MessageField field, std::int32_t value) override { open_.back().add_sint32(field.number, value); }
  void add_uint64s(MessageField field, std::span<const std::uint64_t> values) override {
    open_.back().add_packed_uint64(field.number, values.begin(), values.end());
  }
  void add_fixed64s(MessageField field, std::span<const std::uint64_t> values) override {
    open_.back().add_packed_fixed64(field.number, values.begin(), values.end());
  }
  void add_doubles(MessageField field, std::span<const double> values) override {
    open_.back().add_packed_double(field.number, values.begin(), values.end());
  }

 private:
  std::deque<protozero::pbf_writer> open_;  // from the outermost on; a deque, since each points to the one before
  std::vector<std::uint32_t> lists_;
};

class JsonWriter final : public MessageWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~JsonWriter() override { out_ += '}'; }
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void begin_message(MessageField field) override {
    key(field);
    out_ += '{';
  }
  void begin_element() override {
    separate();
    out_ += '{';
  }
  void end_message() override { out_ += '}'; }
  void begin_list(MessageField field) override {
    key(field);
    out_ += '[';
  }
  void end_list() override { out_ += ']'; }

  void add_text(MessageField field, std::string_view text) override {
    key(field);
    append_text(text);
  }
  void add_flag(MessageField field, bool value) override {
    key(field);
    out_ += value ? "true" : "false";
  }
  void add_enumerator(MessageField field, std::int32_t value) override { add_sint32(field, value); }
  void add_double(MessageField field, double value) override {
    key(field);
    append(value);
  }
  void add_fixed64(MessageField field, std::uint64_t value) override {
    key(field);
    append(value);
  }
  void add_sfixed64(MessageField field, std::int64_t value) override {
    key(field);
    out_.append("\"").append(std::to_string(value)).append("\"");
  }
  void add_sint32(MessageField field, std::int32_t value) override {
    key(field);
    out_ += std::to_string(value);
  }
  void add_uint64s(MessageField field, std::span<const std::uint64_t> values) override { append_all(field, values); }
  void add_fixed64s(MessageField field, std::span<const std::uint64_t> values) override { append_all(field, values); }
  void add_doubles(MessageField field, std::span<const double> values) override { append_all(field, values); }

 private:
  /// After whatever came before in the same message or list.
  void separate() {
    if (out_.back() != '{' && out_.back() != '[') out_ += ',';
  }

  void key(MessageField field) {
    separate();
    append_text(field.name);
    out_ += ':';
  }

  void append_text(std::string_view text) { out_ += nlohmann::json(metrics::to_utf8(text)).dump(); }

  void append(std::uint64_t value) { out_.append("\"").append(std::to_string(value)).append("\""); }

  /// With a fraction or an exponent, since some take -0 for an integer. What JSON has no number for is text.
  void append(double value) {
    if (std::isfinite(value)) return append_canonical(value, out_);
    out_ += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }

  template <class T>
  void append_all(MessageField field, std::span<const T> values) {
    begin_list(field);
    for (const T value : values) {
      separate();
      append(value);
    }
    end_list();
  }

  std::string& out_;
};

}  // namespace

std::unique_ptr<MessageWriter> make_message_writer(MessageEncoding encoding, std::string& out) {
  if (encoding == MessageEncoding::kJson) return std::make_unique<JsonWriter>(out);
  return std::make_unique<ProtobufWriter>(out);
}

}  // namespace connscope::exporters
