// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as what one side of a TLS connection sends. The first byte says where they are cut: however that is, the
// parser must tell the same, keep no piece that is longer than its room, and always come on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/support/tls_reader.h"

namespace {

using connscope::testing::TlsReader;

void require(bool holds) {
  if (!holds) std::abort();
}

void judge(TlsReader& reader, std::size_t bytes) {
  require(reader.longest() <= TLS_WORD);
  // A piece is at least a byte, but for those of records and messages without content, which have headers.
  require(reader.pieces() <= bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool is_encrypted = (data[0] & 0x80U) != 0;
  const std::size_t step = (data[0] & 0x7fU) + 1U;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  TlsReader whole(true);
  TlsReader cut(true);
  whole.parser().is_encrypted = cut.parser().is_encrypted = is_encrypted ? 1 : 0;
  whole.read(bytes);
  for (std::size_t at = 0; at < bytes.size(); at += step) cut.read(bytes.substr(at, step));
  require(whole.events() == cut.events());
  judge(whole, bytes.size());
  judge(cut, bytes.size());
  return 0;
}
