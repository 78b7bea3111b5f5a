#include "runtime/tls/pki.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/key_files.hpp"

#include <cstdio>
#include <memory>

namespace qnfv {

namespace {

struct pki_choice {
  std::string folder = "pki";
  std::string name;
  bool renew = false;
  bool application = false;
  std::string identity;
  std::vector<std::string> hosts;
  std::string file;
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
  auto* issue = pki->add_subcommand("issue", "Make key and certificate of a site, an application, or \"operator\"");
  issue->add_option("name", choice->name, "Site or application of the topology, or operator")
    ->required();
  issue->add_option("--dir", choice->folder, "Folder of the authority")->capture_default_str();
  issue->add_flag("--renew", choice->renew, "Replace what the name has already");
  issue->add_option("--host", choice->hosts,
                    "Name or address under which HTTPS clients reach the site; may be repeated");
  auto* application =
    issue->add_flag("--application", choice->application, "It is an application, not a site");
  issue->add_option("--identity", choice->identity,
                    "What names the application, if not its name; may be a URI")
    ->needs(application);
  issue->footer("Example:  qnfv pki issue dc1 --host 10.0.0.2 --dir ./pki\n"
                "          qnfv pki issue --application nfv-co --dir ./pki");
  issue->callback([choice] {
    pki_options options;
    options.renew = choice->renew;
    options.hosts = choice->hosts;
    auto& identity = choice->identity.empty() ? choice->name : choice->identity;
    done_or_throw(choice->application
                    ? pki_issue_application(choice->folder, choice->name, identity, options)
                    : pki_issue(choice->folder, choice->name, options));
    std::printf("made %s/%s.pem and %s/%s.key\n", choice->folder.c_str(), choice->name.c_str(),
                choice->folder.c_str(), choice->name.c_str());
  });
  auto* seal = pki->add_subcommand("seal-key", "Make the key that seals a site's key journals");
  seal->add_option("file", choice->file, "New file, 0400")->required();
  seal->footer("Example:  qnfv pki seal-key ./secrets/dc1.seal");
  seal->callback([choice] {
    done_or_throw(make_seal_key(choice->file));
    std::printf("made %s; without it the site's keys are lost\n", choice->file.c_str());
  });
  auto* link = pki->add_subcommand("link-secret", "Make the initial authentication secret of a link");
  link->add_option("link", choice->name, "Which: BOB/ALICE")->required();
  link->add_option("--dir", choice->folder, "Folder for BOB-ALICE.secret")->capture_default_str();
  link->add_flag("--renew", choice->renew, "Make the next issue; bring it to both ends");
  link->footer("Example:  qnfv pki link-secret bob1/alice1 --dir ./secrets");
  link->callback([choice] {
    auto slash = choice->name.find('/');
    if (slash == std::string::npos || !valid_name(choice->name.substr(0, slash))
        || !valid_name(choice->name.substr(slash + 1)))
      throw command_error{{ec::invalid_argument, "a link is named BOB/ALICE, not " + choice->name}};
    auto file = link_secret_file(choice->folder, link_id{choice->name});
    auto issue = value_or_throw(make_link_secret(file, choice->renew));
    std::printf("made %s, issue %u; bring it to both ends of the link by hand\n", file.c_str(), issue);
  });
}

} // namespace qnfv
