#include "api/pulse.h"

namespace blixard::api {

void Pulse::start() {
    fresh_at_ = clock_.mono();
    beat();
}

void Pulse::beat() {
    const MonoTime asked = clock_.mono();
    store_.current_revision(
        crossing_.back<store::Revision>([this, asked](Result<store::Revision> newest) {
            if (!newest) return;
            crossing_.when_at(*newest, kStaleAfter, [this, asked](Status reached) {
                if (reached) fresh_at_ = std::max(fresh_at_, asked);
            });
        }));
    crossing_.after(kEvery, [this] { beat(); });
}

}  // namespace blixard::api
