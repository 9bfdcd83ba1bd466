// What this host can and cannot do, with the mend. Each check is a function from what was found to
// a finding.
#pragma once

#include <string>
#include <vector>

namespace blixard::cli {

enum class Health : std::uint8_t { kOk, kWarning, kFailed };

struct Finding {
    std::string check;  // "kvm", "qemu", ...
    Health health = Health::kOk;
    std::string found;
    std::string mend;  // what would help; empty where nothing has to be done
};

struct KvmFacts {
    bool cpu_flag = false;      // vmx or svm
    bool device = false;        // /dev/kvm is there
    bool device_opens = false;  // for this user
};
Finding judge_kvm(const KvmFacts& facts);
Finding judge_memory(std::int64_t total_mib, std::int64_t available_mib);
Finding judge_disk(const std::string& path, std::int64_t size_mib, std::int64_t free_mib);
Finding judge_program(const std::string& program, const std::string& package,
                      const std::string& found_path, const std::string& version, bool needed,
                      const std::string& what_for);
Finding judge_clock(bool known, bool synchronised, std::int64_t error_us);
// `offered` and `refused` as scan_pci_devices() says them; nothing bound to vfio-pci needs no word.
Finding judge_devices(const std::vector<std::string>& offered,
                      const std::vector<std::string>& refused);
Finding judge_strays(const std::string& line);  // as strays_line() says it; not empty
Finding judge_group(bool exists, bool is_root, bool is_member);

}  // namespace blixard::cli
