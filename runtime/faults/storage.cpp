#include "runtime/faults/board.hpp"

namespace qnfv {

namespace {

status disk_full(const std::string& path) {
  return {ec::storage_failed, path + ": no space left on device (injected)"};
}
status sync_failed(const std::string& path) {
  return {ec::storage_failed, path + ": input/output error (injected)"};
}

class faulty_writer : public file_writer {
public:
  faulty_writer(std::string path, std::unique_ptr<file_writer> inner, std::shared_ptr<fault_board> board)
    : path_(std::move(path)), inner_(std::move(inner)), board_(std::move(board)) {}
  status append(byte_view data) override {
    return board_->disk_is_full() ? disk_full(path_) : inner_->append(data);
  }
  status sync() override { return board_->sync_fails() ? sync_failed(path_) : inner_->sync(); }

private:
  std::string path_;
  std::unique_ptr<file_writer> inner_;
  std::shared_ptr<fault_board> board_;
};

class faulty_owned : public owned_file {
public:
  faulty_owned(std::string path, std::unique_ptr<owned_file> inner, std::shared_ptr<fault_board> board)
    : path_(std::move(path)), inner_(std::move(inner)), board_(std::move(board)) {}
  uint64_t size() const override { return inner_->size(); }
  result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const override {
    return inner_->read(offset, to, n);
  }
  status write(uint64_t offset, byte_view data) override {
    // A full disk still takes what is written in place.
    if (offset + data.size() > inner_->size() && board_->disk_is_full())
      return disk_full(path_);
    return inner_->write(offset, data);
  }
  status sync() override { return board_->sync_fails() ? sync_failed(path_) : inner_->sync(); }

private:
  std::string path_;
  std::unique_ptr<owned_file> inner_;
  std::shared_ptr<fault_board> board_;
};

class faulty_storage : public storage {
public:
  faulty_storage(std::shared_ptr<storage> inner, std::shared_ptr<fault_board> board)
    : inner_(std::move(inner)), board_(std::move(board)) {}
  result<std::shared_ptr<file_reader>> open(const std::string& path) const override {
    return inner_->open(path);
  }
  result<std::unique_ptr<file_writer>> create(const std::string& path) override {
    if (board_->disk_is_full())
      return disk_full(path).error();
    auto made = inner_->create(path);
    if (!made)
      return made.error();
    return std::unique_ptr<file_writer>{
      std::make_unique<faulty_writer>(path, std::move(*made), board_)};
  }
  result<std::unique_ptr<owned_file>> own(const std::string& path) override {
    auto opened = inner_->own(path);
    if (!opened)
      return opened.error();
    return std::unique_ptr<owned_file>{
      std::make_unique<faulty_owned>(path, std::move(*opened), board_)};
  }
  status rename(const std::string& from, const std::string& to) override {
    return inner_->rename(from, to);
  }
  status remove(const std::string& path) override { return inner_->remove(path); }
  std::vector<std::string> list(const std::string& folder) const override {
    return inner_->list(folder);
  }

private:
  std::shared_ptr<storage> inner_;
  std::shared_ptr<fault_board> board_;
};

} // namespace

std::shared_ptr<storage> make_faulty_storage(std::shared_ptr<storage> inner,
                                             std::shared_ptr<fault_board> board) {
  return std::make_shared<faulty_storage>(std::move(inner), std::move(board));
}

} // namespace qnfv
