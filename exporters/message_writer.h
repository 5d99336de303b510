// SPDX-License-Identifier: Apache-2.0
//
// MessageWriter: writes a message of Protocol Buffers in one of the two forms that servers take, so that whoever walks
// through data says it once: the binary one, or the JSON of proto3, with 64-bit integers as text and names in
// lowerCamelCase. Messages and lists are closed by what opened them, in reverse. Text that is no UTF-8 is mended.
// Appends to a string of the caller's. One thread. Source: Protocol Buffers, "Encoding", "ProtoJSON Format".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace connscope::exporters {

/// A field by its number and by its name in JSON.
struct MessageField {
  std::uint32_t number;
  std::string_view name;
};

class MessageWriter {
 public:
  virtual ~MessageWriter() = default;

  virtual void begin_message(MessageField field) = 0;
  /// Of the field of messages for which begin_list() was called.
  virtual void begin_element() = 0;
  virtual void end_message() = 0;
  virtual void begin_list(MessageField field) = 0;
  virtual void end_list() = 0;

  virtual void add_text(MessageField field, std::string_view text) = 0;
  virtual void add_flag(MessageField field, bool value) = 0;
  virtual void add_enumerator(MessageField field, std::int32_t value) = 0;
  virtual void add_double(MessageField field, double value) = 0;
  virtual void add_fixed64(MessageField field, std::uint64_t value) = 0;
  virtual void add_sfixed64(MessageField field, std::int64_t value) = 0;
  virtual void add_sint32(MessageField field, std::int32_t value) = 0;
  virtual void add_uint64s(MessageField field, std::span<const std::uint64_t> values) = 0;
  virtual void add_fixed64s(MessageField field, std::span<const std::uint64_t> values) = 0;
  virtual void add_doubles(MessageField field, std::span<const double> values) = 0;
};

enum class MessageEncoding { kProtobuf, kJson };

/// The outermost message ends with the writer.
[[nodiscard]] std::unique_ptr<MessageWriter> make_message_writer(MessageEncoding encoding, std::string& out);

/// Ends what it is made for.
class MessageScope {
 public:
  MessageScope(MessageWriter& writer, MessageField field) : writer_(writer) { writer.begin_message(field); }
  /// An element of the list that is open.
  explicit MessageScope(MessageWriter& writer) : writer_(writer) { writer.begin_element(); }
  MessageScope(const MessageScope&) = delete;
  MessageScope& operator=(const MessageScope&) = delete;
  ~MessageScope() { writer_.end_message(); }

 private:
  MessageWriter& writer_;
};

class ListScope {
 public:
  ListScope(MessageWriter& writer, MessageField field) : writer_(writer) { writer.begin_list(field); }
  ListScope(const ListScope&) = delete;
  ListScope& operator=(const ListScope&) = delete;
  ~ListScope() { writer_.end_list(); }

 private:
  MessageWriter& writer_;
};

}  // namespace connscope::exporters
