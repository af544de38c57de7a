#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/idx.hpp"
#include "reference/core/random.hpp"

namespace fs = std::filesystem;
using namespace assay;

namespace {

// A folder that goes away with its test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-file-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path operator/(const char* name) const { return path_ / name; }
  fs::path make(const char* name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string gzipped(const Folder& folder, std::string_view text) {
  AtomicFile file(folder / "made.gz");
  file.write(text);
  file.commit();
  return contents(folder / "made.gz");
}

std::string read_all(const fs::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path, 1 << 26);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

auto says(const std::string& part) {
  return [part](const InputError& e) {
    BOOST_TEST_MESSAGE(e.what());
    return std::string(e.what()).find(part) != std::string::npos;
  };
}

std::vector<std::string> lines_of(const fs::path& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

std::string idx_header(std::uint32_t magic, std::initializer_list<std::uint32_t> sizes) {
  std::string out;
  const auto put = [&out](std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift & 255);
  };
  put(magic);
  for (const std::uint32_t size : sizes) put(size);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(plain_and_gzipped_files_read_alike) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919) + "\n";
  BOOST_TEST((read_all(folder.make("plain", text)) == text));
  const std::string packed = gzipped(folder, text);
  BOOST_TEST(packed.size() < text.size() / 2);
  BOOST_TEST((read_all(folder / "made.gz") == text));
  // The name does not matter, and members may follow each other.
  BOOST_TEST((read_all(folder.make("other", packed + packed)) == text + text));
  BOOST_TEST(read_all(folder.make("empty", "")) == "");
  BOOST_TEST(lines_of(folder / "made.gz").size() == 200'000U);
}

BOOST_AUTO_TEST_CASE(every_way_to_damage_a_gzip_stream) {
  const Folder folder;
  const std::string packed = gzipped(folder, std::string(100'000, 'x') + "end");
  for (const std::size_t cut : {std::size_t{3}, std::size_t{12}, packed.size() / 2, packed.size() - 1}) {
    const fs::path path = folder.make("cut", packed.substr(0, cut));
    BOOST_CHECK_EXCEPTION(read_all(path), InputError, says("the end of the file"));
  }
  std::string wrong = packed;
  wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] ^ 1);  // the CRC
  BOOST_CHECK_EXCEPTION(read_all(folder.make("crc", wrong)), InputError, says("damaged data"));
  BOOST_CHECK_EXCEPTION(read_all(folder.make("tail", packed + "junk")), InputError, says("more bytes"));
  BOOST_CHECK_EXCEPTION(read_bytes(folder / "made.gz", 1000), InputError, says("at most 1000 bytes"));
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_said_so) {
  const Folder folder;
  BOOST_CHECK_EXCEPTION(ByteReader(folder / "absent"), InputError, says("No such file"));
  BOOST_CHECK_EXCEPTION(ByteReader(folder / ""), InputError, says("a directory"));
  if (geteuid() != 0) {
    const fs::path path = folder.make("secret", "x");
    fs::permissions(path, fs::perms::none);
    BOOST_CHECK_EXCEPTION(ByteReader{path}, InputError, says("Permission denied"));
  }
}

BOOST_AUTO_TEST_CASE(lines_end_in_lf) {
  const Folder folder;
  BOOST_TEST(lines_of(folder.make("ok", "a\n\nb\n")) == (std::vector<std::string>{"a", "", "b"}),
             boost::test_tools::per_element());
  BOOST_CHECK_EXCEPTION(lines_of(folder.make("crlf", "a\r\nb\r\n")), InputError,
                        says("line 1: expected a line that ends in LF, found CRLF"));
  BOOST_CHECK_EXCEPTION(lines_of(folder.make("short", "a\nb")), InputError, says("line 2"));
  BOOST_CHECK_EXCEPTION(lines_of(folder.make("nul", std::string("a\nb\0c\n", 6))), InputError, says("NUL"));
  BOOST_CHECK_EXCEPTION(lines_of(folder.make("long", std::string(5000, 'a') + "\n")), InputError,
                        says("4096"));
  BOOST_CHECK_EXCEPTION(lines_of(folder.make("longer", std::string(500'000, 'a'))), InputError, says("4096"));
}

BOOST_AUTO_TEST_CASE(a_write_that_is_not_committed_changes_nothing) {
  const Folder folder;
  folder.make("out", "before");
  {
    AtomicFile file(folder / "out");
    file.write(std::string(3 << 20, 'y'));
  }
  BOOST_TEST(contents(folder / "out") == "before");
  BOOST_TEST(folder.entries() == 1U);
  AtomicFile file(folder / "out");
  file.write("after");
  file.commit();
  BOOST_TEST(contents(folder / "out") == "after");
  BOOST_TEST(folder.entries() == 1U);
  BOOST_CHECK_THROW(AtomicFile(folder / "absent/out"), InputError);
  fs::create_directory(folder / "taken");
  BOOST_CHECK_EXCEPTION(AtomicFile(folder / "taken"), InputError, says("a directory"));
  BOOST_TEST(folder.entries() == 2U);
}

void write_to(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

// As a signal's handler asks for; names of files that are finished or given up are forgotten.
BOOST_AUTO_TEST_CASE(unfinished_files_are_removed) {
  const Folder folder;
  const fs::path where = fs::path(folder / "x").parent_path();
  const auto entries = [&] { return std::distance(fs::directory_iterator(where), fs::directory_iterator()); };
  {
    std::vector<std::unique_ptr<AtomicFile>> files;
    for (int i = 0; i < 64; ++i) files.push_back(std::make_unique<AtomicFile>(where / std::to_string(i)));
    files[7]->write("7");
    files[7]->commit();
    files[8].reset();
    BOOST_TEST(entries() == 63);
    remove_unfinished_files();
    BOOST_TEST(entries() == 1);
    BOOST_TEST(fs::exists(where / "7"));
  }
  for (int i = 0; i < 200; ++i) {  // places in the list are used again
    AtomicFile file(where / "again");
    remove_unfinished_files();
    BOOST_TEST(entries() == 1);
  }
}

// Bytes at random places over a file of 4 MiB, some of which have been put on the disk and some not.
BOOST_AUTO_TEST_CASE(a_file_may_be_written_out_of_order) {
  const Folder folder;
  const CounterRandom random(1);
  std::string want(4 << 20, 'a');
  AtomicFile file(folder / "x");
  file.write(want);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const bool at_the_end = i % 3 == 0, large = i % 7 == 0;
    const std::size_t place =
        at_the_end ? want.size() - random.below(1000, 3 * i) : random.below(want.size(), 3 * i);
    const std::string text(random.below(large ? 2 << 20 : 100, 3 * i + 1),
                           static_cast<char>('A' + random.below(26, 3 * i + 2)));
    file.seek(place);
    file.write(text.substr(0, text.size() / 2));
    file.write(text.substr(text.size() / 2));
    want.replace(place, text.size(), text);
  }
  BOOST_CHECK_THROW(file.seek(want.size() + 1), ContractError);
  file.commit();
  BOOST_TEST((contents(folder / "x") == want));
  BOOST_CHECK_THROW(AtomicFile(folder / "x.gz").seek(0), ContractError);
}

BOOST_AUTO_TEST_CASE(a_pipe_is_read_like_a_file) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string packed = gzipped(folder, text), pipe = (folder / "pipe").string();
  BOOST_REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& sent : {text, packed, std::string()}) {
    std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << sent; });
    ByteReader reader(pipe);
    writer.join();
    // What follows is known as it is of a file, so that a header's claims can be held against it.
    BOOST_TEST(reader.remaining_at_most() >= (sent.empty() ? 0 : text.size()));
    BOOST_TEST(reader.remaining_at_most() <= (sent == text ? text.size() : 1032 * sent.size() + 65536));
    std::string got(text.size() + 1, '?');
    got.resize(reader.read(got.data(), got.size()));
    BOOST_TEST((got == (sent.empty() ? sent : text)));
  }
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_stays_and_its_file_is_replaced) {
  const Folder folder;
  fs::create_directory(folder / "far");
  folder.make("far/file", "before");
  fs::create_symlink("far/file", folder / "near");
  fs::create_symlink("near", folder / "nearer");
  write_to(folder / "nearer", "after");
  BOOST_TEST(fs::is_symlink(folder / "nearer"));
  BOOST_TEST(fs::is_symlink(folder / "near"));
  BOOST_TEST(contents(folder / "far/file") == "after");
  fs::create_symlink("far/new", folder / "dangling");
  write_to(folder / "dangling", "new");
  BOOST_TEST(contents(folder / "far/new") == "new");
  BOOST_TEST(fs::is_symlink(folder / "dangling"));
  fs::create_symlink("loop", folder / "loop");
  BOOST_CHECK_EXCEPTION(AtomicFile(folder / "loop"), InputError, says("a loop of symbolic links"));
  fs::create_symlink("far", folder / "link-to-folder");
  BOOST_CHECK_EXCEPTION(AtomicFile(folder / "link-to-folder"), InputError, says("a directory"));
  BOOST_CHECK_EXCEPTION(file_to_replace(folder / "link-to-folder"), InputError, says("a directory"));
  BOOST_TEST(folder.entries() == 6U);
}

BOOST_AUTO_TEST_CASE(pipes_and_devices_are_written_not_replaced) {
  const Folder folder;
  const std::string pipe = (folder / "pipe").string();
  BOOST_REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += std::to_string(i) + "\n";
  std::string got;
  std::thread reader([&] { got = contents(pipe); });
  write_to(pipe, text);
  reader.join();
  BOOST_TEST((got == text));
  BOOST_TEST(fs::is_fifo(pipe));
  std::thread late([&] { got = contents(pipe); });
  {
    AtomicFile file(pipe);
    file.write("?efore");
    file.seek(0);
    file.write("b");
    file.seek(6);
    file.write(" after");
    file.commit();
  }
  late.join();
  BOOST_TEST(got == "before after");
  // Without commit() the reader sees the end and nothing before it.
  std::thread other([&] { got = contents(pipe); });
  { AtomicFile(pipe).write(text); }
  other.join();
  BOOST_TEST(got == "");
  BOOST_CHECK_EXCEPTION(file_to_replace(pipe), InputError, says("not a regular file"));
  BOOST_TEST(folder.entries() == 1U);

  // The numbers of /dev/full; only root makes devices, and not in every container.
  const std::string full = (folder / "full").string();
  if (mknod(full.c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0 || ::access(full.c_str(), W_OK) != 0) {
    BOOST_TEST_MESSAGE("SKIPPED: no device can be made here");
    return;
  }
  const int fd = ::open(full.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    BOOST_TEST_MESSAGE("SKIPPED: devices do not work in the temporary folder");
    return;
  }
  ::close(fd);
  BOOST_CHECK_EXCEPTION(write_to(full, "x"), InputError, says("No space left"));
  BOOST_TEST(fs::is_character_file(full));
  BOOST_TEST(folder.entries() == 2U);
}

BOOST_AUTO_TEST_CASE(idx_files) {
  const Folder folder;
  const std::string good = idx_header(0x0803, {2, 2, 3}) + "abcdefghijkl";
  const IdxImages images = read_idx_images(folder.make("good", good));
  BOOST_TEST(images.count == 2U);
  BOOST_TEST((images.rows == 2U && images.cols == 3U));
  BOOST_TEST(images.image(1)[0] == 'g');
  BOOST_TEST(read_idx_labels(folder.make("labels", idx_header(0x0801, {3}) + "abc")).size() == 3U);

  const auto rejects = [&](const std::string& bytes, const char* part) {
    BOOST_CHECK_EXCEPTION(read_idx_images(folder.make("bad", bytes)), InputError, says(part));
  };
  rejects("", "magic number");
  rejects(idx_header(0x0801, {3}) + "abc", "byte 0: expected magic number 0x00000803, found 0x00000801");
  rejects(idx_header(0x0803, {2, 2}), "size");
  rejects(idx_header(0x0803, {2, 0, 3}), "a size above 0");
  rejects(good.substr(0, good.size() - 1), "than it can hold");
  rejects(good + "m", "the end of the file");
  // 2^96 bytes, before any memory is asked for.
  rejects(idx_header(0x0803, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}), "than it can hold");
  // gzip hides how much follows; the count is still checked against what deflate can make of the file.
  rejects(gzipped(folder, idx_header(0x0803, {60000, 28, 2800}) + "abc"), "than it can hold");
  rejects(gzipped(folder, good.substr(0, good.size() - 1)), "pixels or labels");
}
