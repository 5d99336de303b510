// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_functions.h"

#include <elf.h>

#include <algorithm>
#include <cstddef>

#include "agent/probe/elf_file.h"

namespace connscope::probe {
namespace {

/// The largest executables have half a million.
constexpr std::size_t kMaxSymbols = 1U << 22U;
constexpr std::size_t kMaxCodeBytes = 1U << 20U;

/// Defined code; what is chosen at run time (STT_GNU_IFUNC) is no function itself.
bool is_function(const Elf64_Sym& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF;
}

/// One table of symbols, and that of their names.
struct SymbolTable {
  Elf64_Shdr symbols;
  Elf64_Shdr strings;
};

std::vector<SymbolTable> symbol_tables(const std::vector<Elf64_Shdr>& sections) {
  std::vector<SymbolTable> tables;
  for (const Elf64_Shdr& section : sections) {
    const bool has_symbols = section.sh_type == SHT_DYNSYM || section.sh_type == SHT_SYMTAB;
    if (has_symbols && section.sh_link < sections.size()) tables.push_back({section, sections[section.sh_link]});
  }
  return tables;
}

void add_function(Functions& found, const std::string& name, const Function& function) {
  auto& functions = found[name];
  const bool is_known = std::any_of(functions.begin(), functions.end(),
                                    [&](const Function& known) { return known.offset == function.offset; });
  if (!is_known) functions.push_back(function);
}

Status add_functions(const ElfFile& file, const SymbolTable& table, const std::vector<std::string>& names,
                     Functions& found) {
  const std::size_t count = table.symbols.sh_size / sizeof(Elf64_Sym);
  if (count > kMaxSymbols) return Error("more symbols than any file has");
  const auto places = find_names(file.fd(), {table.strings.sh_offset, table.strings.sh_size}, names);
  if (!places) return places.error();
  const auto look = [&](const std::vector<Elf64_Sym>& piece, std::size_t) -> Status {
    for (const Elf64_Sym& symbol : piece) {
      const auto name = places->find(symbol.st_name);
      if (name == places->end() || !is_function(symbol)) continue;
      if (const auto offset = file.code_offset(symbol.st_value))
        add_function(found, name->second, {*offset, symbol.st_size});
    }
    return {};
  };
  return for_each_piece<Elf64_Sym>(file.fd(), table.symbols.sh_offset, count, 0, "symbols", look);
}

}  // namespace

Result<Functions> functions_in(int fd, const std::vector<std::string>& names) {
  const auto file = ElfFile::read(fd);
  if (!file) return file.error();
  const std::vector<SymbolTable> tables = symbol_tables(file->sections());
  if (tables.empty()) return Error("no symbols");
  Functions found;
  for (const SymbolTable& table : tables)
    if (auto added = add_functions(*file, table, names, found); !added) return added.error();
  return found;
}

Result<FunctionOffsets> function_offsets(int fd, const std::vector<std::string>& names) {
  const auto functions = functions_in(fd, names);
  if (!functions) return functions.error();
  FunctionOffsets offsets;
  for (const auto& [name, places] : *functions)
    for (const Function& place : places) offsets[name].push_back(place.offset);
  return offsets;
}

Result<std::vector<std::uint8_t>> code_of(int fd, const Function& function) {
  return read_table<std::uint8_t>(fd, function.offset, function.size, kMaxCodeBytes, "bytes of code");
}

}  // namespace connscope::probe
