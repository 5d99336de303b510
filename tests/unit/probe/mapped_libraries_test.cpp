// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/mapped_libraries.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "tests/support/temp_dir.h"

namespace connscope::probe {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

bool is_lib(std::string_view name) { return name == "lib.so"; }

constexpr char kMaps[] =
    "55d000-55e000 r-xp 00001000 fe:01 7    /usr/bin/lib\n"
    "7f1000-7f2000 r--p 00000000 fe:01 99 /usr/lib/lib.so\n"
    "7f2000-7f3000 r-xp 00001000 fe:01 99                     /usr/lib/lib.so\n"
    "7f3000-7f4000 r-xp 00001000 fe:01 99                     /usr/lib/lib.so\n"
    "7f5000-7f6000 r-xp 00000000 00:2a 12 /a folder/lib.so (deleted)\n"
    "7f7000-7f8000 rw-p 00000000 00:00 0 \n"
    "7ffc000-7ffd000 r-xp 00000000 00:00 0 [vdso]\n";

TEST(Mappings, AreThoseWithCodeOfAWantedNameOneOfEachFile) {
  const auto found = mappings_in(kMaps, is_lib);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file, (MappedFile{"fe:01", 99}));
  EXPECT_EQ(found[0].range, "7f2000-7f3000");
  EXPECT_EQ(found[0].path, "/usr/lib/lib.so");
  EXPECT_EQ(found[1].file, (MappedFile{"00:2a", 12}));
  EXPECT_EQ(found[1].path, "/a folder/lib.so");
}

TEST(Mappings, OddTextHasNone) {
  for (const char* text : {"", "\n", "/lib.so", "\n\n/lib.so\n", "a b c /lib.so", "7f-7f r--p 0 0:0 1 /lib.so"})
    EXPECT_TRUE(mappings_in(text, is_lib).empty()) << text;
}

/// A proc(5) of files.
class FakeProc {
 public:
  FakeProc() : folder_(*testing::TempDir::create()) {}
  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  void run(const std::string& process, const std::string& maps) const {
    fs::create_directories(folder(process));
    execute(process, maps);
  }
  /// Another file in the place of its executable.
  void execute(const std::string& process, const std::string& maps) const {
    std::ofstream(folder(process) / "exe.new") << "x";
    fs::rename(folder(process) / "exe.new", folder(process) / "exe");
    map(process, maps);
  }
  void map(const std::string& process, const std::string& maps) const {
    std::ofstream(folder(process) / "maps") << maps;
  }
  void end(const std::string& process) const { fs::remove_all(folder(process)); }
  [[nodiscard]] fs::path folder(const std::string& process) const { return fs::path(path()) / process; }

 private:
  testing::TempDir folder_;
};

std::string maps_of(int inode) { return "7f-8f r-xp 0 fe:01 " + std::to_string(inode) + " /lib.so\n"; }
MappedFile file_of(std::uint64_t inode) { return {"fe:01", inode}; }

std::vector<std::uint64_t> offered(MappedLibraries& libraries, std::size_t max_reads = kAll) {
  std::vector<std::uint64_t> inodes;
  const auto look = libraries.look(max_reads);
  for (const Mapping& mapping : look->offered) inodes.push_back(mapping.file.inode);
  return inodes;
}
using Inodes = std::vector<std::uint64_t>;

TEST(MappedLibraries, AreOfferedUntilTheyAreTakenUpAndAreGoneWithTheirLastProcess) {
  const FakeProc proc;
  proc.run("10", maps_of(1));
  proc.run("11", maps_of(1));
  proc.run("12", maps_of(2));
  fs::create_directories(proc.folder("self"));
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_EQ(offered(libraries), (Inodes{1, 2}));
  EXPECT_EQ(offered(libraries), (Inodes{1, 2}));
  libraries.take_up(file_of(1));
  EXPECT_EQ(offered(libraries), Inodes{2});
  proc.end("10");
  EXPECT_TRUE(libraries.look(kAll)->gone.empty());
  proc.end("11");
  EXPECT_EQ(libraries.look(kAll)->gone, std::vector<MappedFile>{file_of(1)});
  EXPECT_TRUE(libraries.look(kAll)->gone.empty()) << "told once";
  proc.run("13", maps_of(1));
  EXPECT_EQ(offered(libraries), (Inodes{1, 2}));
}

TEST(MappedLibraries, AProcessIsReadOnceUnlessItExecutesAnotherFile) {
  const FakeProc proc;
  proc.run("10", maps_of(1));
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_EQ(offered(libraries), Inodes{1});
  proc.map("10", maps_of(2));
  EXPECT_EQ(offered(libraries), Inodes{1});
  proc.execute("10", maps_of(3));
  EXPECT_EQ(offered(libraries), Inodes{3});
}

TEST(MappedLibraries, OneThatHasNoLibraryYetIsReadAgainForAWhile) {
  const FakeProc proc;
  proc.run("10", "");
  proc.run("11", "");
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_TRUE(offered(libraries).empty());
  proc.map("10", maps_of(1));
  EXPECT_EQ(offered(libraries), Inodes{1});
  EXPECT_EQ(offered(libraries), Inodes{1});
  proc.map("11", maps_of(2));  // linked statically, by all that could be seen
  EXPECT_EQ(offered(libraries), Inodes{1});
}

TEST(MappedLibraries, ALookReadsNoMoreThanItMayAndThenNothingIsGone) {
  const FakeProc proc;
  proc.run("10", maps_of(1));
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_EQ(offered(libraries), Inodes{1});
  libraries.take_up(file_of(1));
  proc.end("10");
  proc.run("11", maps_of(1));
  proc.run("12", maps_of(2));
  EXPECT_TRUE(libraries.look(0)->gone.empty());
  EXPECT_TRUE(libraries.look(1)->gone.empty());
  EXPECT_EQ(offered(libraries, 1), Inodes{2});
}

/// Inodes of what is offered of one process that may have something new.
Inodes offered_of(MappedLibraries& libraries, const std::string& process, const std::string& maps) {
  Inodes inodes;
  for (const Mapping& mapping : libraries.look_at({process, maps})) {
    EXPECT_EQ(mapping.process, process);
    inodes.push_back(mapping.file.inode);
  }
  return inodes;
}

TEST(MappedLibraries, OfOneProcessAreOfferedWithoutALookAtTheOthers) {
  const FakeProc proc;
  proc.run("10", maps_of(1));
  proc.run("11", maps_of(2));
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_EQ(offered_of(libraries, "10", maps_of(1)), Inodes{1});
  libraries.take_up(file_of(1));
  EXPECT_TRUE(offered_of(libraries, "10", maps_of(1)).empty());
  EXPECT_EQ(libraries.files_of("10"), std::vector<MappedFile>{file_of(1)});
  EXPECT_TRUE(libraries.files_of("11").empty()) << "nobody has looked at it";
  EXPECT_EQ(offered(libraries), Inodes{2}) << "the look at all knows what that one found";
}

TEST(MappedLibraries, AProcessThatIsLookedAtAgainMayHaveOneMore) {
  const FakeProc proc;
  proc.run("10", maps_of(1));
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_EQ(offered(libraries), Inodes{1});
  libraries.take_up(file_of(1));
  EXPECT_EQ(offered_of(libraries, "10", maps_of(1) + maps_of(2)), Inodes{2});
  EXPECT_EQ(offered(libraries), Inodes{2});
}

TEST(MappedLibraries, OfAProcessThatIsGoneThereAreNone) {
  const FakeProc proc;
  MappedLibraries libraries(is_lib, proc.path());
  EXPECT_TRUE(offered_of(libraries, "10", maps_of(1)).empty());
  EXPECT_TRUE(libraries.files_of("10").empty());
}

TEST(MappedLibraries, WithoutProcfsThereIsAnError) {
  MappedLibraries libraries(is_lib, "/nowhere");
  EXPECT_FALSE(libraries.look(kAll));
}

/// What `open` finds for /lib.so in a process whose root directory is `root`.
class MappedLibrariesOpen : public ::testing::Test {
 protected:
  MappedLibrariesOpen() {
    fs::create_directories(proc_.folder("10") / "map_files");
    fs::create_directories(root_);
    fs::create_symlink(root_, proc_.folder("10") / "root");
  }
  [[nodiscard]] std::string content() const {
    const auto file = MappedLibraries(is_lib, proc_.path()).open({file_of(1), "10", "7f-8f", "/lib.so"});
    if (!file) return "refused: " + file.error().message();
    std::string text(16, '\0');
    const ssize_t length = ::pread(file->get(), text.data(), text.size(), 0);
    text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return text;
  }
  FakeProc proc_;
  fs::path root_ = fs::path(proc_.path()) / "root";
};

TEST_F(MappedLibrariesOpen, TheMappedFileComesFirst) {
  std::ofstream(proc_.folder("10") / "map_files" / "7f-8f") << "mapped";
  std::ofstream(root_ / "lib.so") << "other";
  EXPECT_EQ(content(), "mapped");
}

TEST_F(MappedLibrariesOpen, ElseThatOfTheProcesssRootDirectory) {
  std::ofstream(root_ / "lib.so") << "in root";
  EXPECT_EQ(content(), "in root");
}

TEST(MappedLibraries, AreOpenedAsAnotherProcessHasThemWhenTheFirstHasEnded) {
  const FakeProc proc;
  for (const char* process : {"10", "11", "12"}) {
    proc.run(process, maps_of(1));
    fs::create_directories(proc.folder(process) / "map_files");
    std::ofstream(proc.folder(process) / "map_files" / "7f-8f") << "mapped";
  }
  MappedLibraries libraries(is_lib, proc.path());
  const auto look = libraries.look(kAll);
  ASSERT_EQ(look->offered.size(), 1U);
  const Mapping& offered = look->offered.front();
  proc.end(offered.process);
  proc.end(offered.process == "11" ? "12" : "11");
  EXPECT_TRUE(libraries.open(offered));
  for (const char* process : {"10", "11", "12"}) proc.end(process);
  const auto refused = libraries.open(offered);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(has_ended(refused.error()));
}

TEST_F(MappedLibrariesOpen, LinksDoNotLeadOutOfTheRootDirectory) {
  std::ofstream(fs::path(proc_.path()) / "outside") << "outside";
  fs::create_symlink("../outside", root_ / "lib.so");
  EXPECT_NE(content(), "outside");
  std::ofstream(root_ / "outside") << "inside";
  EXPECT_EQ(content(), "inside");
}

TEST_F(MappedLibrariesOpen, APipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo((root_ / "lib.so").c_str(), 0600), 0);
  EXPECT_EQ(content().rfind("refused: /lib.so", 0), 0U) << content();
}

}  // namespace
}  // namespace connscope::probe
