// What a container engine answers.

#include "drivers/vim_docker/docker_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

/// What is no answer is read once more, for its words.
constexpr allowance of_answers{2 * of_json.per_byte, 2 * of_json.always};

template <class T>
void judge(const result<T>& x) {
  hold(x || (x.error().code == ec::vim_failed && x.error().text.size() <= 1024),
       "what is no answer is a failed VIM, in few words");
}

} // namespace

QNFV_FUZZER(data, size) {
  auto body = text_of(data, size);
  for (unsigned status : {200u, 404u, 500u}) {
    judge(bounded(size, of_answers, [&] { return docker::parse_load(status, body); }));
    judge(bounded(size, of_answers, [&] { return docker::parse_image_id(status, body); }));
    docker::error_text(status, body);
  }
  auto state = bounded(size, of_answers,
                       [&] { return docker::parse_container(body, vnf_id{"firewall-3"}); });
  judge(state);
  hold(!state || state->detail.size() <= 512, "what an engine says of a container is short");
  for (auto c : docker::path_segment(body))
    hold(c > ' ' && c <= '~' && c != '?' && c != '#', "a path has no query and no blanks");
  return 0;
}
