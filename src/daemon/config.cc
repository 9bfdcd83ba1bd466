#include "daemon/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "daemon/record_files.h"
#include "hypervisor/qemu/ceph_image.h"
#include "model/validate.h"

namespace blixard::daemon {
namespace {

constexpr std::string_view kHelp = R"(Usage: blixard daemon [options]

Runs this host: serves the API, starts and watches its virtual machines.

  --data-dir DIR         everything the daemon keeps          (/var/lib/blixard)
  --socket PATH          the API's unix socket                (/run/blixard/blixard.sock)
  --listen ADDR:PORT     the API over plain TCP, loopback addresses only
  --name NAME            this host's name in the cluster      (the machine's host name)
  --zone ZONE            its failure domain, when it is first started; later: blixard node set
  --advertise ADDR[:PORT]  where other hosts reach this one
  --store etcd://HOST:PORT,...  use an etcd that someone else runs
  --store-ca, --store-cert, --store-key FILE  PEM: how to speak TLS with that etcd
  --etcd-quota-mib N     how large the database of the cluster's own etcd may grow (2048)
  --lease-ttl SECONDS    2 to 60: how soon a lost host is noticed (4); a cluster has its own, see: blixard cluster init
  --pool NAME=DIR        shared storage that is mounted here, or NAME=rbd:POOL[:id=USER][:conf=FILE]; may be repeated
  --accelerator kvm|tcg  instead of what the probe finds
  --strategy NAME        the cluster's default placement strategy (fragmentation)
  --record-mib MIB       room for the record of inputs, for blixard debug record; 0: none (32)
  --image-grace SECONDS  how long the files of a deleted image stay (600)
  --log-level debug|info|warning|error
  --log-format text|json
  --config FILE          TOML; flags win over it

Example:
  blixard daemon --data-dir var/blixard --socket var/blixard.sock
)";

// Long enough for an image to be made of files that are there, at the least.
constexpr std::int64_t kImageGraceLeast = 10, kImageGraceMost = 30 * 86400;

struct TextOption {
    std::string_view name;  // the flag without dashes; the TOML key with '_' for '-'
    std::string Config::* member;
};
constexpr TextOption kTextOptions[] = {
    {"data-dir", &Config::data_dir},
    {"socket", &Config::socket},
    {"listen", &Config::listen},
    {"store", &Config::store},
    {"name", &Config::name},
    {"advertise", &Config::advertise},
    {"zone", &Config::zone},
    {"log-level", &Config::log_level},
    {"log-format", &Config::log_format},
    {"accelerator", &Config::accelerator},
    {"strategy", &Config::strategy},
    {"store-ca", &Config::store_ca},
    {"store-cert", &Config::store_cert},
    {"store-key", &Config::store_key},
};

const TextOption* text_option(std::string name) {
    for (char& c : name)
        if (c == '_') c = '-';
    for (const TextOption& option : kTextOptions)
        if (option.name == name) return &option;
    return nullptr;
}

struct NumberOption {
    std::string_view name;  // the flag
    std::string_view key;   // in TOML
    std::int64_t Config::* member;
};
constexpr NumberOption kNumberOptions[] = {
    {"lease-ttl", "lease_ttl_s", &Config::lease_ttl_s},
    {"etcd-quota-mib", "etcd_quota_mib", &Config::etcd_quota_mib},
    {"record-mib", "record_mib", &Config::record_mib},
    {"image-grace", "image_grace_s", &Config::image_grace_s},
};

Status set_number(const NumberOption& option, std::string_view text, Config& config) {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), config.*(option.member));
    if (error != std::errc{} || end != text.data() + text.size())
        return fail_field(std::string(option.name),
                          fmt::format("--{}: \"{}\" is not a whole number", option.name, text));
    return {};
}

Status set_pool(std::string_view text, Config& config) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size())
        return fail_field("pool", fmt::format("\"{}\" is not NAME=DIR", text),
                          "for example: --pool nfs=/mnt/nfs");
    config.pools[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    return {};
}

Status check_flag(const std::string& name) {
    const bool is_number = std::ranges::any_of(
        kNumberOptions, [&](const NumberOption& option) { return option.name == name; });
    if (is_number || name == "pool" || name == "config" || text_option(name)) return {};
    return fail(ErrorCode::kInvalid, fmt::format("unknown option --{}", name),
                "see: blixard daemon --help");
}

Status set_flag(const std::string& name, const std::string& value, Config& config) {
    for (const NumberOption& option : kNumberOptions)
        if (option.name == name) return set_number(option, value, config);
    if (name == "pool") return set_pool(value, config);
    if (const TextOption* option = text_option(name)) {
        config.*(option->member) = value;
        return {};
    }
    return check_flag(name);
}

Status read_file(const std::string& path, Config& config) {
    std::ifstream file(path);
    std::error_code failed;
    // A directory can be opened too, and then reads as nothing.
    if (!file || std::filesystem::is_directory(path, failed))
        return fail(ErrorCode::kNotFound,
                    fmt::format("configuration file {} cannot be read", path));
    std::ostringstream text;
    text << file.rdbuf();
    return parse_toml(text.str(), path, config);
}

tl::unexpected<Error> refuse(const std::string& path, const toml::node& node,
                             std::string_view what) {
    return fail(ErrorCode::kInvalid, fmt::format("{}:{}: {}", path, node.source().begin.line, what),
                "see the example configuration: packaging/blixard.toml");
}

Status read_table(const std::string& path, const toml::table& table, std::string_view name,
                  std::map<std::string, std::string>& into) {
    for (const auto& [key, node] : table) {
        const auto value = node.value<std::string>();
        if (!value)
            return refuse(path, node, fmt::format("{}.{} must be a string", name, key.str()));
        into[std::string(key.str())] = *value;
    }
    return {};
}

// The watchdog and the VMs' processes run in "/".
void make_absolute(Config& config) {
    const auto absolute = [](const std::string& path) {
        std::error_code failed;
        const std::filesystem::path whole = std::filesystem::absolute(path, failed);
        return failed ? path : whole.lexically_normal().string();
    };
    config.data_dir = absolute(config.data_dir);
    for (auto& [name, place] : config.pools)
        if (!hypervisor::is_ceph(place)) place = absolute(place);
}

}  // namespace

Status parse_toml(std::string_view text, const std::string& path, Config& config) {
    const toml::parse_result parsed = toml::parse(text, std::string_view(path));
    if (!parsed)
        return fail(ErrorCode::kInvalid,
                    fmt::format("{}:{}: {}", path, parsed.error().source().begin.line,
                                parsed.error().description()));
    for (const auto& [key, node] : parsed.table()) {
        const std::string name(key.str());
        const auto* number =
            std::find_if(std::begin(kNumberOptions), std::end(kNumberOptions),
                         [&](const NumberOption& option) { return option.key == name; });
        if (const TextOption* option = text_option(name)) {
            const auto value = node.value<std::string>();
            if (!value) return refuse(path, node, fmt::format("{} must be a string", name));
            config.*(option->member) = *value;
        } else if (number != std::end(kNumberOptions)) {
            const auto value = node.value<std::int64_t>();
            if (!value) return refuse(path, node, fmt::format("{} must be a whole number", name));
            config.*(number->member) = *value;
        } else if ((name == "labels" || name == "pools") && node.is_table()) {
            RETURN_IF_ERROR(read_table(path, *node.as_table(), name,
                                       name == "labels" ? config.labels : config.pools));
        } else {
            return refuse(path, node, fmt::format("unknown key \"{}\"", name));
        }
    }
    return {};
}

std::map<std::string, std::string> missing_pools(const Config& config) {
    std::map<std::string, std::string> missing;
    for (const auto& [name, place] : config.pools) {
        std::error_code failed;
        if (!hypervisor::is_ceph(place) && !std::filesystem::is_directory(place, failed))
            missing.emplace(name, place);
    }
    return missing;
}

Result<ListenAddress> parse_listen(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    ListenAddress address;
    if (colon != std::string_view::npos && colon > 0) {
        const std::string_view digits = text.substr(colon + 1);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
        address.host = text.substr(0, colon);
        if (error == std::errc{} && end == digits.data() + digits.size()) return address;
    }
    return fail_field("listen", fmt::format("\"{}\" is not ADDR:PORT", text),
                      "write --listen 127.0.0.1:8080; ports are 1 to 65535, 0 is a free one");
}

Result<Config> parse_arguments(const std::vector<std::string>& arguments) {
    Config config;
    std::vector<std::pair<std::string, std::string>> flags;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string argument = arguments[i];
        if (argument == "--help" || argument == "-h")
            return fail(ErrorCode::kCancelled, std::string(kHelp));
        if (!argument.starts_with("--"))
            return fail(ErrorCode::kInvalid, fmt::format("unexpected argument \"{}\"", argument),
                        "see: blixard daemon --help");
        argument.erase(0, 2);
        const std::size_t equals = argument.find('=');
        RETURN_IF_ERROR(check_flag(argument.substr(0, equals)));
        if (equals != std::string::npos) {
            flags.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
        } else if (i + 1 < arguments.size()) {
            flags.emplace_back(argument, arguments[++i]);
        } else {
            return fail(ErrorCode::kInvalid, fmt::format("option --{} needs a value", argument),
                        "see: blixard daemon --help");
        }
    }
    for (const auto& [name, value] : flags)
        if (name == "config") RETURN_IF_ERROR(read_file(value, config));
    for (const auto& [name, value] : flags)
        if (name != "config") RETURN_IF_ERROR(set_flag(name, value, config));
    if (config.name.empty()) {
        char host[256] = {};
        if (gethostname(host, sizeof host - 1) == 0) config.name = host;
        for (char& c : config.name) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
            if (c == '.' || c == '_') c = '-';
        }
    }
    RETURN_IF_ERROR(validate(config));
    make_absolute(config);
    return config;
}

Status validate(const Config& config) {
    RETURN_IF_ERROR(model::validate_name(config.name, "name"));
    if (config.lease_ttl_s < 2 || config.lease_ttl_s > 60)
        return fail_field("lease-ttl",
                          fmt::format("a lease of {} s was asked for", config.lease_ttl_s),
                          "2 to 60 seconds are possible");
    if (config.etcd_quota_mib < 16 || config.etcd_quota_mib > 8192)
        return fail_field("etcd-quota-mib",
                          fmt::format("a quota of {} MiB was asked for", config.etcd_quota_mib),
                          "16 to 8192 are possible (etcd advises against more than 8 GiB)");
    if (config.data_dir.empty())
        return fail_field("data-dir", "the data directory is an empty text",
                          "leave it out, or write --data-dir DIR");
    if (!config.listen.empty()) RETURN_IF_ERROR(parse_listen(config.listen));
    RETURN_IF_ERROR(
        model::validate(model::NodeSettings{.labels = config.labels, .zone = config.zone}, ""));
    for (const auto& [name, path] : config.pools) {
        RETURN_IF_ERROR(model::validate_name(name, "pool"));
        if (!hypervisor::is_ceph(path)) continue;
        if (auto pool = hypervisor::parse_ceph_pool(path); !pool)
            return fail_field("pool " + name, pool.error().message, pool.error().help);
    }
    const int given =
        !config.store_ca.empty() + !config.store_cert.empty() + !config.store_key.empty();
    if (given != 0 && (given != 3 || config.store.empty()))
        return fail_field("store-ca",
                          "TLS with an etcd needs --store, --store-ca, --store-cert and "
                          "--store-key, all of them");
    if (config.record_mib < 0 || config.record_mib > kRecordMibMost)
        return fail_field("record-mib",
                          fmt::format("a record of {} MiB was asked for", config.record_mib),
                          fmt::format("0 (none) to {} are possible", kRecordMibMost));
    if (config.image_grace_s < kImageGraceLeast || config.image_grace_s > kImageGraceMost)
        return fail_field(
            "image-grace", fmt::format("{} s were asked for", config.image_grace_s),
            fmt::format("{} to {} seconds are possible", kImageGraceLeast, kImageGraceMost));
    static const std::set<std::string> levels = {"debug", "info", "warning", "error"};
    if (!levels.contains(config.log_level))
        return fail_field("log-level", fmt::format("unknown level \"{}\"", config.log_level),
                          "debug, info, warning or error");
    if (config.log_format != "text" && config.log_format != "json")
        return fail_field("log-format", fmt::format("unknown format \"{}\"", config.log_format),
                          "text or json");
    if (!config.accelerator.empty() && config.accelerator != "kvm" && config.accelerator != "tcg")
        return fail_field("accelerator",
                          fmt::format("unknown accelerator \"{}\"", config.accelerator),
                          "kvm or tcg");
    if (!config.strategy.empty() && !model::is_strategy(config.strategy))
        return fail_field("strategy", fmt::format("unknown strategy \"{}\"", config.strategy),
                          "most-available, least-available, round-robin, manual, priority, "
                          "locality, spread, cost or fragmentation");
    if (!config.store.empty() && !config.store.starts_with("etcd://"))
        return fail_field("store", fmt::format("unknown store \"{}\"", config.store),
                          "leave it out, or etcd://HOST:PORT,...");
    return {};
}

}  // namespace blixard::daemon
