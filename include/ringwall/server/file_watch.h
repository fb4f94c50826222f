// file_watch.h: tells when files may have changed, whichever way they are replaced: written over, renamed over, or by a
// symbolic link that leads elsewhere from now on (certbot's live/ to archive/, Kubernetes' ..data).
//
// Watched are the directory of each file and that of each link on the way to it, by inotify, and nothing by the file
// itself, which is another one after a rename. What inotify does not tell of (a file system without it, a directory
// that may not be read, no descriptor left) looks(), which compares by stat(2), finds out. Owner and thread: one.
// Source: inotify(7), path_resolution(7).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ringwall::server {

// A name that a path goes through and that may come to mean another file: a link, or the file itself.
struct PathStep {
  std::string directory;  // without links
  std::string name;

  friend auto operator<=>(const PathStep&, const PathStep&) = default;
};

// Those of a path, as far as it leads. Relative ones begin in the working directory.
[[nodiscard]] std::vector<PathStep> steps_of(const std::string& path);

class FileWatch {
 public:
  FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

  // These and no others from here on. To be called again after each change, for links may lead elsewhere.
  void watch(std::span<const std::string> files);

  // Readable when there is something to be read by take(). -1: there is no inotify to be had.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // True: one of the files may have changed.
  [[nodiscard]] bool take();
  // Asks the file system. True: one of the files is another, or written or permitted otherwise, than when this was
  // asked last or watch() was called.
  [[nodiscard]] bool looks_changed();

 private:
  // What stat(2) says of a file, or the errno of it.
  struct Look {
    std::uint64_t device = 0, inode = 0, bytes = 0;
    std::int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
    int error = 0;

    friend bool operator==(const Look&, const Look&) = default;
  };
  [[nodiscard]] static Look look_at(const std::string& file);
  [[nodiscard]] std::vector<Look> look() const;

  const int descriptor_;
  std::vector<std::string> files_;
  std::vector<Look> looks_;
  std::map<int, std::set<std::string>> names_;  // by inotify's number of their directory
};

}  // namespace ringwall::server
