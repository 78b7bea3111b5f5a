#pragma once

#include "runtime/messages/vnfs.hpp"
#include "runtime/system/actor.hpp"

#include <map>

namespace qnfv {

struct vim_emulator_config {
  uint64_t image_bytes_max = 64ull << 30;
  uint32_t boot_ms = 50; ///< Until a started instance runs.
};

struct emulated_instance {
  std::string vim_image;
  bool running = false;
};

struct vim_emulator_state {
  static inline const char* name = "vim_emulator";
  vim_emulator_config config;
  std::map<vnf_id, emulated_instance> instances;
};

/// The VIM driver that runs nothing: images become files "vim/TRANSFER.img" of the site's storage,
/// instances become lines of "vim/instances". Like an engine of its own it outlives the site's
/// process: instances run on while the site restarts.
vim_actor::behavior_type vim_emulator(stateful<vim_actor, vim_emulator_state>* self,
                                      vim_emulator_config config);

/// Bytes into a file that gets its name only at the end. On the threads of `io`.
std::shared_ptr<byte_sink> make_file_sink(std::shared_ptr<io_pool> io, std::shared_ptr<storage> files,
                                          std::string part, std::string final_name,
                                          uint64_t bytes_max);

} // namespace qnfv
