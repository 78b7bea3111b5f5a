#include "drivers/vim_emulator/vim_emulator.hpp"

#include <atomic>

namespace qnfv {

namespace {

/// What the sink and the work it has posted share.
struct sink_file {
  std::shared_ptr<storage> files;
  std::string part;
  std::string final_name;
  uint64_t bytes_max;
  std::unique_ptr<file_writer> out;
  uint64_t written = 0;
  std::atomic<bool> aborted{false};

  status append(const bytes& data) {
    if (aborted)
      return {ec::cancelled, "the load was aborted"};
    if (written + data.size() > bytes_max)
      return {ec::vim_failed, "the image is larger than " + std::to_string(bytes_max) + " bytes"};
    if (!out) {
      auto made = files->create(part);
      if (!made)
        return made.error();
      out = std::move(*made);
    }
    written += data.size();
    return out->append(data);
  }

  result<std::string> finish(const bytes& last) {
    if (auto ok = append(last); !ok)
      return ok.error();
    if (auto ok = out->sync(); !ok)
      return ok.error();
    if (auto ok = files->rename(part, final_name); !ok)
      return ok.error();
    return final_name;
  }

  void remove_part() {
    out.reset();
    files->remove(part);
  }
};

class file_sink : public byte_sink {
public:
  file_sink(std::shared_ptr<io_pool> io, std::shared_ptr<sink_file> file)
    : io_(std::move(io)), file_(std::move(file)) {}
  ~file_sink() override { abort(); }

  void write(bytes data, std::function<void(status)> then) override {
    io_->post([f = file_, data = std::move(data), then = std::move(then)] { then(f->append(data)); });
  }

  void finish(bytes last, std::function<void(result<std::string>)> then) override {
    finished_ = true;
    io_->post([f = file_, last = std::move(last), then = std::move(then)] {
      auto name = f->finish(last);
      if (!name)
        f->remove_part();
      then(std::move(name));
    });
  }

  void abort() override {
    if (finished_ || file_->aborted.exchange(true))
      return;
    io_->post([f = file_] { f->remove_part(); });
  }

private:
  std::shared_ptr<io_pool> io_;
  std::shared_ptr<sink_file> file_;
  bool finished_ = false;
};

} // namespace

std::shared_ptr<byte_sink> make_file_sink(std::shared_ptr<io_pool> io, std::shared_ptr<storage> files,
                                          std::string part, std::string final_name,
                                          uint64_t bytes_max) {
  auto file = std::make_shared<sink_file>();
  file->files = std::move(files);
  file->part = std::move(part);
  file->final_name = std::move(final_name);
  file->bytes_max = bytes_max;
  return std::make_shared<file_sink>(std::move(io), std::move(file));
}

} // namespace qnfv
