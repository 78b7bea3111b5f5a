#include "runtime/tls/pki.hpp"
#include "tools/qnfv/commands.hpp"

#include <cstdio>
#include <memory>

namespace qnfv {

namespace {

struct pki_choice {
  std::string folder = "pki";
  std::string name;
  bool renew = false;
};

} // namespace

void add_pki_commands(CLI::App& app, command_settings&) {
  auto choice = std::make_shared<pki_choice>();
  auto* pki = app.add_subcommand("pki", "The lab's own certificate authority");
  pki->require_subcommand(1);
  auto* init = pki->add_subcommand("init", "Make an authority in a new folder");
  init->add_option("dir", choice->folder, "Folder")->required();
  init->footer("Example:  qnfv pki init ./pki");
  init->callback([choice] {
    done_or_throw(pki_init(choice->folder));
    std::printf("made the authority %s/ca.pem; keep %s/ca.key off the lab's servers\n",
                choice->folder.c_str(), choice->folder.c_str());
  });
  auto* issue = pki->add_subcommand("issue", "Make key and certificate of a site, or of \"operator\"");
  issue->add_option("name", choice->name, "Site of the topology, or operator")->required();
  issue->add_option("--dir", choice->folder, "Folder of the authority")->capture_default_str();
  issue->add_flag("--renew", choice->renew, "Replace what the name has already");
  issue->footer("Example:  qnfv pki issue dc1 --dir ./pki");
  issue->callback([choice] {
    pki_options options;
    options.renew = choice->renew;
    done_or_throw(pki_issue(choice->folder, choice->name, options));
    std::printf("made %s/%s.pem and %s/%s.key\n", choice->folder.c_str(), choice->name.c_str(),
                choice->folder.c_str(), choice->name.c_str());
  });
}

} // namespace qnfv
