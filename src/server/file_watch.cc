#include <ringwall/server/file_watch.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace ringwall::server {

namespace {

// As many as the kernel follows.
constexpr int links_max = 40;

constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Of the directory itself, or of what inotify lost.
constexpr std::uint32_t of_directory = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW;

// Where a link leads; nothing if it is none, or if nobody may tell.
std::optional<std::string> target_of(const std::string& path) {
  std::array<char, PATH_MAX> text;
  const ssize_t bytes = ::readlink(path.c_str(), text.data(), text.size());
  if (bytes <= 0) return std::nullopt;
  return std::string(text.data(), static_cast<std::size_t>(bytes));
}

// The parts of `path`, in front of those that follow.
void put_in_front(std::deque<std::string>& parts, std::string_view path) {
  std::vector<std::string> own;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0 && path.substr(0, end) != ".") own.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  parts.insert(parts.begin(), own.begin(), own.end());
}

std::string joined(const std::string& directory, const std::string& name) {
  return (directory == "/" ? "" : directory) + "/" + name;
}

}  // namespace

std::vector<PathStep> steps_of(const std::string& path) {
  std::error_code error;
  std::deque<std::string> parts;
  put_in_front(parts, path.starts_with('/') ? path : std::filesystem::current_path(error).string() + "/" + path);
  std::vector<PathStep> steps;
  std::string directory = "/";
  for (int links = 0; !parts.empty();) {
    const std::string name = parts.front();
    parts.pop_front();
    if (name == "..") {
      directory = std::filesystem::path(directory).parent_path().string();
      continue;
    }
    if (const std::optional<std::string> target = target_of(joined(directory, name))) {
      steps.push_back({directory, name});
      if (++links > links_max) break;
      if (target->starts_with('/')) directory = "/";
      put_in_front(parts, *target);
    } else if (parts.empty()) {
      steps.push_back({directory, name});
    } else {
      directory = joined(directory, name);
    }
  }
  return steps;
}

FileWatch::FileWatch() : descriptor_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

FileWatch::~FileWatch() {
  if (descriptor_ >= 0) close(descriptor_);
}

void FileWatch::watch(std::span<const std::string> files) {
  files_.assign(files.begin(), files.end());
  std::map<int, std::set<std::string>> names;
  for (const std::string& file : files_) {
    for (const PathStep& step : steps_of(file)) {
      const int directory = descriptor_ < 0 ? -1 : inotify_add_watch(descriptor_, step.directory.c_str(), events);
      if (directory >= 0) names[directory].insert(step.name);
    }
  }
  for (const auto& [directory, unused] : names_) {
    if (!names.contains(directory)) (void)inotify_rm_watch(descriptor_, directory);
  }
  names_ = std::move(names);
  looks_ = look();
}

bool FileWatch::take() {
  alignas(inotify_event) std::array<char, 4096> bytes;
  bool is_ours = false;
  ssize_t count = 0;
  while ((count = ::read(descriptor_, bytes.data(), bytes.size())) > 0) {
    for (const char* at = bytes.data(); at < bytes.data() + count;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const auto directory = names_.find(event.wd);
      const bool is_watched = directory != names_.end() || event.wd < 0;
      const std::string name = event.len > 0 ? at + sizeof event : "";
      is_ours |= is_watched && ((event.mask & of_directory) != 0 || directory->second.contains(name));
      at += sizeof event + event.len;
    }
  }
  return is_ours;
}

bool FileWatch::looks_changed() {
  std::vector<Look> now = look();
  const bool is_changed = now != looks_;
  looks_ = std::move(now);
  return is_changed;
}

FileWatch::Look FileWatch::look_at(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return {.error = errno};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .bytes = static_cast<std::uint64_t>(status.st_size),
          .modified_s = status.st_mtim.tv_sec,
          .modified_ns = status.st_mtim.tv_nsec,
          .changed_s = status.st_ctim.tv_sec,
          .changed_ns = status.st_ctim.tv_nsec};
}

std::vector<FileWatch::Look> FileWatch::look() const {
  std::vector<Look> looks;
  looks.reserve(files_.size());
  for (const std::string& file : files_) looks.push_back(look_at(file));
  return looks;
}

}  // namespace ringwall::server
