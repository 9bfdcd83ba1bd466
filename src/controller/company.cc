#include "controller/company.h"

#include <algorithm>
#include <string>

namespace blixard::controller {
namespace {

bool speaks_of(const model::AffinityRule& rule, const view::VmEntry& owner,
               const view::VmEntry& other) {
    if (!other.record || other.key == owner.key) return false;
    if (other.project() != owner.project()) return false;
    if (!rule.vm.empty()) return other.name() == rule.vm;
    const auto& labels = other.record->value.spec.labels;
    return std::all_of(rule.labels.begin(), rule.labels.end(), [&](const auto& label) {
        const auto found = labels.find(label.first);
        return found != labels.end() && found->second == label.second;
    });
}

bool is_together(const model::AffinityRule& rule) { return rule.hard && !rule.anti; }

template <class Speaks>
bool any_wide_anti_rule(const view::VmEntry& owner, const Speaks& speaks) {
    if (!owner.record) return false;
    const auto& rules = owner.record->value.spec.affinity;
    return std::any_of(rules.begin(), rules.end(), [&](const model::AffinityRule& rule) {
        const bool wide = !rule.domain.empty() && rule.domain != "node";
        return rule.hard && rule.anti && wide && speaks(rule);
    });
}

bool keeps_away(const view::VmEntry& owner, const view::VmEntry& other) {
    return any_wide_anti_rule(
        owner, [&](const model::AffinityRule& rule) { return speaks_of(rule, owner, other); });
}

// Empty: the host is in no such domain.
std::string domain_of(const view::NodeEntry& host, const std::string& domain) {
    if (domain.empty() || domain == "node") return host.key;
    if (!host.spec) return {};
    if (domain == "zone" && !host.spec->value.zone.empty()) return host.spec->value.zone;
    const auto label = host.spec->value.labels.find(domain);
    return label == host.spec->value.labels.end() ? std::string{} : label->second;
}

const view::VmEntry* partner_on(const view::Snapshot& state, const model::AffinityRule& rule,
                                const view::VmEntry& owner, const view::NodeEntry& host) {
    const view::VmEntry* partner = nullptr;
    const std::string domain = domain_of(host, rule.domain);
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        if (partner || domain.empty() || domain_of(*node, rule.domain) != domain) return;
        state.for_each_vm_on(node->key, [&](const view::VmEntry& other) {
            if (!partner && speaks_of(rule, owner, other)) partner = &other;
        });
    });
    return partner;
}

}  // namespace

bool needs_company(const view::VmEntry& vm) {
    if (!vm.record) return false;
    const auto& rules = vm.record->value.spec.affinity;
    return std::any_of(rules.begin(), rules.end(), is_together);
}

bool must_be_with(const view::VmEntry& vm, const view::VmEntry& other) {
    if (!vm.record) return false;
    const auto& rules = vm.record->value.spec.affinity;
    return std::any_of(rules.begin(), rules.end(), [&](const model::AffinityRule& rule) {
        return is_together(rule) && speaks_of(rule, vm, other);
    });
}

bool keep_apart(const view::VmEntry& one, const view::VmEntry& other) {
    return keeps_away(one, other) || keeps_away(other, one);
}

bool counts_both(const view::VmEntry& owner, const view::VmEntry& one, const view::VmEntry& other) {
    return any_wide_anti_rule(owner, [&](const model::AffinityRule& rule) {
        return speaks_of(rule, owner, one) && speaks_of(rule, owner, other);
    });
}

std::vector<const view::VmEntry*> company_on(const view::Snapshot& state, const view::VmEntry& vm,
                                             std::string_view host) {
    std::vector<const view::VmEntry*> company;
    const view::NodeEntry* node = state.nodes.find(host);
    if (!vm.record || !node) return company;
    for (const model::AffinityRule& rule : vm.record->value.spec.affinity) {
        if (!is_together(rule)) continue;
        if (const view::VmEntry* partner = partner_on(state, rule, vm, *node))
            company.push_back(partner);
    }
    return company;
}

}  // namespace blixard::controller
