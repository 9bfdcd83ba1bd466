#include "scheduler/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mutant.h"

namespace blixard::scheduler {
namespace {

constexpr std::uint32_t kNoDomain = UINT32_MAX;

bool has_label(const Request& vm, const Label& label) {
    return std::find(vm.labels.begin(), vm.labels.end(), label) != vm.labels.end();
}

}  // namespace

bool matches(const Selector& target, const Request& vm) {
    if (!target.vm.empty()) return target.vm == vm.vm;
    if (!target.project.empty() && target.project != vm.project) return false;
    return std::all_of(target.labels.begin(), target.labels.end(),
                       [&](const Label& label) { return has_label(vm, label); });
}

std::string describe(const Selector& target) {
    if (!target.vm.empty()) return target.vm;
    std::string text;
    for (const auto& label : target.labels)
        text += fmt::format("{}{}={}", text.empty() ? "" : ",", label.key, label.value);
    return text;
}

Rules::Rules(const Cluster& cluster, const Request& request)
    : cluster_(cluster), request_(request) {
    for (const auto& rule : request.affinities) {
        count(rule);
        any_soft_ = any_soft_ || !rule.hard;
    }
    forbid();
}

NameId Rules::domain_key(const std::string& domain) const {
    if (domain == "host") return kNoName;
    auto key = cluster_.names().find(domain);
    return key == kNoName ? kNoName - 1
                          : key;  // a key that no host has: every host is outside all domains
}

std::uint32_t Rules::domain_of(HostIndex host, NameId key) const {
    return key == kNoName ? host : cluster_.label_value(cluster_.host(host), key);
}

template <class Visit>
void Rules::each_match(const Selector& target, const Visit& visit) const {
    if (!target.vm.empty()) {
        if (auto index = cluster_.find_vm(target.vm); index != kNoVm) visit(index);
        return;
    }
    const auto& first = target.labels.front();
    auto id = label_id(cluster_.names().find(first.key), cluster_.names().find(first.value));
    for (VmIndex index : cluster_.vms_with_label(id)) {
        const auto& vm = *cluster_.vm(index).request;
        if (vm.vm != request_.vm && matches(target, vm)) visit(index);
    }
}

void Rules::count(const Affinity& rule) {
    Counted counted{&rule, domain_key(rule.domain), {}, 0, matches(rule.target, request_)};
    std::vector<std::uint32_t> domains;
    each_match(rule.target, [&](VmIndex index) {
        auto domain = domain_of(cluster_.vm(index).host, counted.domain_key);
        ++counted.total;
        if (domain != kNoDomain) domains.push_back(domain);
    });
    std::sort(domains.begin(), domains.end());
    for (auto domain : domains) {
        if (counted.domains.empty() || counted.domains.back().domain != domain)
            counted.domains.push_back({domain, 0});
        ++counted.domains.back().count;
    }
    counted_.push_back(std::move(counted));
}

// The request has the same rule and the owner counts in it, so asking the request's own rule is
// enough.
bool Rules::covered(const Affinity& rule, const Request& owner) const {
    return std::any_of(
        request_.affinities.begin(), request_.affinities.end(), [&](const Affinity& own) {
            return own.anti && own.hard && own.target == rule.target && own.domain == rule.domain &&
                   own.max_per_domain <= rule.max_per_domain && matches(own.target, owner);
        });
}

std::int32_t Rules::matching_in(const Selector& target, NameId key, std::uint32_t domain) const {
    std::int32_t count = 0;
    if (key == kNoName) {
        for (VmIndex index : cluster_.host(domain).vms)
            count += matches(target, *cluster_.vm(index).request) ? 1 : 0;
        return count;
    }
    each_match(target, [&](VmIndex index) {
        count += domain_of(cluster_.vm(index).host, key) == domain ? 1 : 0;
    });
    return count;
}

// Many owners have the same rule: whom it speaks of is found out once, and how many of them each
// domain has.
class Rules::OthersRule {
 public:
    OthersRule(const Rules& rules, const Affinity& rule)
        : rules_(rules),
          target_(rule.target),
          domain_(rule.domain),
          key_(rules.domain_key(rule.domain)),
          speaks_of_us_(matches(rule.target, rules.request_)) {}

    bool is(const Affinity& rule) const { return rule.domain == domain_ && rule.target == target_; }
    bool speaks_of_us() const { return speaks_of_us_; }
    NameId key() const { return key_; }
    std::int32_t matching_in(std::uint32_t domain) {
        const auto at = std::lower_bound(
            counts_.begin(), counts_.end(), domain,
            [](const DomainCount& one, std::uint32_t wanted) { return one.domain < wanted; });
        if (at != counts_.end() && at->domain == domain) return at->count;
        return counts_.insert(at, {domain, rules_.matching_in(target_, key_, domain)})->count;
    }

 private:
    const Rules& rules_;
    const Selector& target_;
    const std::string& domain_;
    const NameId key_;
    const bool speaks_of_us_;
    std::vector<DomainCount> counts_;  // sorted
};

void Rules::forbid() {
    if (mutant(MutantId::kOthersRulesIgnored)) return;
    std::vector<OthersRule> known;
    for (VmIndex owner : cluster_.vms_that_may_forbid(request_)) {
        const auto& slot = cluster_.vm(owner);
        if (slot.request->vm == request_.vm) continue;
        for (const auto& rule : slot.request->affinities) {
            if (!rule.anti || !rule.hard) continue;
            auto same = std::find_if(known.begin(), known.end(),
                                     [&](const OthersRule& one) { return one.is(rule); });
            if (same == known.end()) {
                known.emplace_back(*this, rule);
                same = std::prev(known.end());
            }
            if (!same->speaks_of_us() || covered(rule, *slot.request)) continue;
            const auto domain = domain_of(slot.host, same->key());
            if (domain == kNoDomain) continue;
            const int owner_itself = matches(rule.target, *slot.request) ? 1 : 0;
            if (same->matching_in(domain) - owner_itself + 2 > rule.max_per_domain)
                forbidden_.push_back({same->key(), domain, owner});
        }
    }
}

std::int32_t Rules::count_in(const Counted& counted, std::uint32_t domain) {
    auto at = std::lower_bound(
        counted.domains.begin(), counted.domains.end(), domain,
        [](const DomainCount& one, std::uint32_t wanted) { return one.domain < wanted; });
    return at != counted.domains.end() && at->domain == domain ? at->count : 0;
}

bool Rules::broken(const Counted& counted, HostIndex host, std::int32_t* found) const {
    auto domain = domain_of(host, counted.domain_key);
    auto here = domain == kNoDomain ? 0 : count_in(counted, domain);
    *found = here;
    if (counted.rule->anti)
        return domain != kNoDomain &&
               here + (mutant(MutantId::kOneTooMany) ? 0 : 1) > counted.rule->max_per_domain;
    bool first_of_its_group = counted.total == 0 && counted.matches_itself;
    return here == 0 && !first_of_its_group;
}

bool Rules::admits(HostIndex host) const {
    std::int32_t found = 0;
    for (const auto& counted : counted_)
        if (counted.rule->hard && broken(counted, host, &found)) return false;
    for (const auto& forbidden : forbidden_)
        if (domain_of(host, forbidden.domain_key) == forbidden.domain) return false;
    return true;
}

void Rules::check(HostIndex host, Failures& failures) const {
    for (const auto& counted : counted_) {
        std::int32_t found = 0;
        if (!counted.rule->hard || !broken(counted, host, &found)) continue;
        const auto& rule = *counted.rule;
        if (rule.anti)
            failures.add(Reason::kAntiAffinity, rule.max_per_domain, found, [&] {
                return fmt::format("{} of {} on this {} already, at most {} with this one", found,
                                   describe(rule.target), rule.domain, rule.max_per_domain);
            });
        else
            failures.add(Reason::kAffinity, 1, 0, [&] {
                return counted.total == 0 ? fmt::format("must be with {}, which has no place yet",
                                                        describe(rule.target))
                                          : fmt::format("must be with {}, which is not on this {}",
                                                        describe(rule.target), rule.domain);
            });
    }
    for (const auto& forbidden : forbidden_)
        if (domain_of(host, forbidden.domain_key) == forbidden.domain)
            failures.add(Reason::kAntiAffinity, 0, 1, [&] {
                return fmt::format("vm {} there must not be with such a VM",
                                   cluster_.vm(forbidden.owner).request->vm);
            });
}

double Rules::penalty(HostIndex host, std::vector<ScorePart>* parts) const {
    double lost = 0.0;
    for (const auto& counted : counted_) {
        std::int32_t found = 0;
        if (counted.rule->hard || !broken(counted, host, &found)) continue;
        const auto& rule = *counted.rule;
        double points = rule.anti ? rule.weight * (found + 1 - rule.max_per_domain) : rule.weight;
        lost += points;
        if (parts != nullptr)
            parts->push_back(
                {fmt::format("soft {}affinity {}", rule.anti ? "anti-" : "", describe(rule.target)),
                 -points});
    }
    return lost;
}

}  // namespace blixard::scheduler
