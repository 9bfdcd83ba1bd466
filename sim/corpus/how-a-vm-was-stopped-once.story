# a host is drained, and a VM whose guest has powered itself off since is said to have been stopped the way it was for the drain (seed 65)
blixard-sim 1
seed=65 hosts=5 vms=50 hours=1 faults=host,store,clock,disk,network,qemu,operator
249996 node-drain 1 5 0 14590999613259913926   # 249.9 s: node-drain (host number 6), asked at h2
