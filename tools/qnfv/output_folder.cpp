#include "tools/qnfv/output_folder.hpp"

#include <filesystem>
#include <fstream>

namespace qnfv {

namespace fs = std::filesystem;

namespace {

/// True if every byte is in the file.
bool put(const std::string& path, const std::string& content) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  return static_cast<bool>(out);
}

void forget(const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

} // namespace

result<output_folder> output_folder::open(const std::string& path) {
  std::error_code why;
  auto is_new = fs::create_directory(path, why);
  if (std::error_code none; fs::exists(path, none) && !fs::is_directory(path, none))
    return {ec::bad_config, path + ": is no folder"};
  if (why)
    return {ec::bad_config, path + ": " + why.message()};
  output_folder out{path, is_new};
  auto probe = path + "/.probe.part";
  auto writable = put(probe, "?");
  forget(probe);
  if (!writable)
    return {ec::bad_config, path + ": cannot write files there"};
  return out;
}

output_folder::output_folder(output_folder&& other) noexcept
    : path_(std::move(other.path_)), is_new_(std::exchange(other.is_new_, false)) {}

output_folder::~output_folder() {
  // Fails if there is anything in it.
  if (is_new_)
    forget(path_);
}

status output_folder::write(const std::map<std::string, std::string>& files) {
  auto part = [&](auto& file) { return path_ + "/" + file.first + ".part"; };
  auto give_up = [&](const std::string& what) -> status {
    for (auto& file : files)
      forget(part(file));
    return {ec::bad_config, path_ + "/" + what};
  };
  for (auto& file : files)
    if (!put(part(file), file.second))
      return give_up(file.first + ": cannot be written");
  for (auto& file : files) {
    std::error_code why;
    fs::rename(part(file), path_ + "/" + file.first, why);
    if (why)
      return give_up(file.first + ": " + why.message());
  }
  return done{};
}

} // namespace qnfv
