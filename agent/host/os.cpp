// SPDX-License-Identifier: Apache-2.0
//
// os: which distribution this is. Source: /etc/os-release or /usr/lib/os-release (os-release(5)): KEY=VALUE, quoted as
// a shell would.
#include <array>
#include <map>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::os {
namespace {

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') || text.back() != text.front())
    return std::string(text);
  const bool escapes = text.front() == '"';
  std::string plain;
  text = text.substr(1, text.size() - 2);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (escapes && text[at] == '\\' && at + 1 < text.size()) ++at;
    plain += text[at];
  }
  return plain;
}

/// "22.04.3" is 22.04: what can be compared.
std::optional<double> major_and_minor(std::string_view version) {
  std::size_t end = version.find_first_not_of("0123456789");
  if (end != std::string_view::npos && version[end] == '.') end = version.find_first_not_of("0123456789", end + 1);
  return to_real(version.substr(0, end));
}

class Os final : public Collector {
 public:
  Os()
      : Collector("os"),
        info_(add_table({"build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name", "variant",
                         "variant_id", "version", "version_codename", "version_id"},
                        {{"node_os_info", "The distribution; always 1."}})),
        version_(add_table({"id", "id_like", "name"},
                           {{"node_os_version", "The distribution's version, as far as it is a number."}})) {}

 private:
  Status read(Kernel& kernel) override {
    Content content = kernel.read(Root::kRoot, {"etc/os-release"});
    if (content.missing()) content = kernel.read(Root::kRoot, {"usr/lib/os-release"});
    if (!content) return absent_or_error(content, "os-release");
    std::map<std::string, std::string, std::less<>> facts;
    std::string_view rest = content.text;
    while (!rest.empty()) {
      std::string_view line = trimmed(take_line(rest));
      if (line.empty() || line.front() == '#' || line.find('=') == std::string_view::npos) continue;
      const std::string_view key = take_until(line, '=');
      facts[std::string(key)] = unquoted(line);
    }
    info_.row({facts["BUILD_ID"], facts["ID"], facts["ID_LIKE"], facts["IMAGE_ID"], facts["IMAGE_VERSION"],
               facts["NAME"], facts["PRETTY_NAME"], facts["VARIANT"], facts["VARIANT_ID"], facts["VERSION"],
               facts["VERSION_CODENAME"], facts["VERSION_ID"]});
    info_.set(0, 1U);
    if (const auto version = major_and_minor(facts["VERSION_ID"])) {
      version_.row({facts["ID"], facts["ID_LIKE"], facts["NAME"]});
      version_.set(0, *version);
    }
    return {};
  }

  Table& info_;
  Table& version_;
};

}  // namespace

extern const CollectorType kType{"os", true, make_plain<Os>};

}  // namespace connscope::host::collectors::os
