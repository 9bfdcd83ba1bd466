# an end that was said without an answer, then an order to restart: from "failed" to "stopping" (seed 45; the former 1041)
blixard-sim 1
seed=45 hosts=5 vms=50 hours=0.16 faults=host,store,clock,disk,network,qemu,operator
23188 vm-label 1 28 0 8569167678536754413   # 23.1 s: vm-label vm-28, asked at h2
25853 node-drain 1 28 0 4492724266013899631   # 25.8 s: node-drain (host number 29), asked at h2
42911 vm-label 3 3 0 11740251749440056173   # 42.9 s: vm-label vm-3, asked at h4
49975 vm-label 0 3 0 2421281247255521393   # 49.9 s: vm-label vm-3, asked at h1
60518 vm-read 4 22 0 8518135292925011076   # 60.5 s: vm-read vm-22, asked at h5
82184 disk-full 1 48 24279 12684798365902998802   # 82.1 s: disk-full on h2 for 24.2 s
82725 vm-label 1 6 0 1610503196227839899   # 82.7 s: vm-label vm-6, asked at h2
90905 slow-link 4 44 2651 17872214571092823826   # 90.9 s: slow-link on h5 for 2.6 s
97539 lease-lost 2 30 0 17136244492855522770   # 97.5 s: lease-lost on h3
105540 vm-create 2 14 0 2382420330547318674   # 105.5 s: vm-create vm-14, asked at h3
107033 torn-crash 0 16 13987 11587771527831609174   # 107.0 s: torn-crash on h1 for 13.9 s
129589 vm-restart 0 41 0 3622385908313542109   # 129.5 s: vm-restart vm-41, asked at h1
144472 vm-label-if 1 16 0 245345319350645695   # 144.4 s: vm-label-if vm-16, asked at h2
145811 vm-resume 3 29 0 12910372628072543531   # 145.8 s: vm-resume vm-29, asked at h4
148246 vm-read 0 27 0 7320563027621542056   # 148.2 s: vm-read vm-27, asked at h1
148416 watchdog-kill 0 27 0 17393959548717013196   # 148.4 s: watchdog-kill on h1
148741 daemon-kill 0 27 1669 18052863954700163282   # 148.7 s: daemon-kill on h1 for 1.6 s
149379 vm-start 0 27 0 12597478955488613859   # 149.3 s: vm-start vm-27, asked at h1
150462 store-leader 3 27 0 11828313134466464343   # 150.4 s: store-leader on h4
150733 vm-create 1 39 0 2810308640773552117   # 150.7 s: vm-create vm-39, asked at h2
151341 watchdog-pause 0 27 154 13010680227503973607   # 151.3 s: watchdog-pause on h1 for 0.1 s
151445 slow-link 2 27 21692 17534909253900516680   # 151.4 s: slow-link on h3 for 21.6 s
152894 vm-read 0 9 0 16602823936152134504   # 152.8 s: vm-read vm-9, asked at h1
153163 vm-stop 0 27 0 780957289523780367   # 153.1 s: vm-stop vm-27, asked at h1
153398 daemon-pause 0 27 19005 13410828913866652252   # 153.3 s: daemon-pause on h1 for 19.0 s
154501 vm-delete 2 31 0 7819835595612041126   # 154.5 s: vm-delete vm-31, asked at h3
156746 vm-read 4 42 0 16080744124459252699   # 156.7 s: vm-read vm-42, asked at h5
164312 cut 4 30 4576 17144677916333735543   # 164.3 s: cut on h5 for 4.5 s
175581 vm-pause 0 8 0 4634221454480620539   # 175.5 s: vm-pause vm-8, asked at h1
183297 vm-create 2 45 0 16901054312532407737   # 183.2 s: vm-create vm-45, asked at h3
184919 vm-label-if 0 31 0 17871554998329287886   # 184.9 s: vm-label-if vm-31, asked at h1
201177 vm-label-if 1 30 0 7960605290372233554   # 201.1 s: vm-label-if vm-30, asked at h2
210848 vm-read 1 13 0 11255424061753554282   # 210.8 s: vm-read vm-13, asked at h2
223068 vm-start 2 18 0 4251942374082791341   # 223.0 s: vm-start vm-18, asked at h3
258839 vm-resize 3 29 0 10674690925185310651   # 258.8 s: vm-resize vm-29, asked at h4
283444 vm-label 1 37 0 3117092216732261819   # 283.4 s: vm-label vm-37, asked at h2
283974 vm-resume 3 8 0 10731618892228074075   # 283.9 s: vm-resume vm-8, asked at h4
284100 vm-label-if 3 35 0 8996412962128441199   # 284.1 s: vm-label-if vm-35, asked at h4
285511 vm-label-if 4 48 0 14332577866663062593   # 285.5 s: vm-label-if vm-48, asked at h5
290073 compact 2 2 7838 11370954923007058972   # 290.0 s: compact on h3 for 7.8 s
319185 daemon-kill 2 40 8793 662609580454834257   # 319.1 s: daemon-kill on h3 for 8.7 s
321412 vm-pause 1 31 0 9360347984431148350   # 321.4 s: vm-pause vm-31, asked at h2
343909 vm-label 4 4 0 7680684812826437989   # 343.9 s: vm-label vm-4, asked at h5
356409 vm-dies 3 48 0 12058271028654059462   # 356.4 s: vm-dies on h4
357548 vm-resize 2 8 0 17101372672746263720   # 357.5 s: vm-resize vm-8, asked at h3
376908 upgrade 4 40 6096 9376800376674452989   # 376.9 s: upgrade on h5 for 6.0 s
377767 vm-restart 0 40 0 14291962677363583106   # 377.7 s: vm-restart vm-40, asked at h1
378323 vm-create 4 28 0 11097468212779639702   # 378.3 s: vm-create vm-28, asked at h5
379568 vm-start 4 40 0 133963161990803421   # 379.5 s: vm-start vm-40, asked at h5
380383 vm-create 4 40 0 6688992684211467780   # 380.3 s: vm-create vm-40, asked at h5
380779 client-trouble 4 40 63388 12030105683060379557   # 380.7 s: client-trouble on h5 for 63.3 s
380876 vm-read 3 40 0 15570771409877214585   # 380.8 s: vm-read vm-40, asked at h4
381018 vm-create 3 12 0 13028239523409797603   # 381.0 s: vm-create vm-12, asked at h4
381878 daemon-pause 4 23 7824 13223765592681131147   # 381.8 s: daemon-pause on h5 for 7.8 s
381975 vm-read 4 40 0 1646561217397008151   # 381.9 s: vm-read vm-40, asked at h5
382045 vm-create 4 40 0 17180449345104969849   # 382.0 s: vm-create vm-40, asked at h5
382503 vm-resume 4 40 0 8975360971943088675   # 382.5 s: vm-resume vm-40, asked at h5
382897 vm-resize 4 29 0 13623036602293386758   # 382.8 s: vm-resize vm-29, asked at h5
383008 vm-read 4 48 0 6026447570070557533   # 383.0 s: vm-read vm-48, asked at h5
383212 cut 4 37 6289 13508734250441630419   # 383.2 s: cut on h5 for 6.2 s
383546 volume-create 4 40 0 7792447180976779675   # 383.5 s: volume-create, asked at h5
397209 vm-restart 3 14 0 10116350883455886871   # 397.2 s: vm-restart vm-14, asked at h4
407364 vm-stop 1 20 0 17204760079565974047   # 407.3 s: vm-stop vm-20, asked at h2
407656 vm-read 1 20 0 13523142050665876083   # 407.6 s: vm-read vm-20, asked at h2
407714 vm-stop 2 38 0 11014871606507570378   # 407.7 s: vm-stop vm-38, asked at h3
407924 vm-stop 1 34 0 8483857754265179537   # 407.9 s: vm-stop vm-34, asked at h2
408945 node-uncordon 1 20 0 14803941589646490920   # 408.9 s: node-uncordon (host number 21), asked at h2
409881 client-trouble 1 20 20226 4696703481395978192   # 409.8 s: client-trouble on h2 for 20.2 s
410093 vm-label-if 3 33 0 7551342735321620685   # 410.0 s: vm-label-if vm-33, asked at h4
410274 vm-label 1 20 0 10188116194045272248   # 410.2 s: vm-label vm-20, asked at h2
410535 vm-label 1 20 0 18273166981505000979   # 410.5 s: vm-label vm-20, asked at h2
410648 vm-label 3 32 0 7810674570814018003   # 410.6 s: vm-label vm-32, asked at h4
412036 host-crash 1 20 37659 2420861092822820232   # 412.0 s: host-crash on h2 for 37.6 s
413051 vm-read 1 16 0 504741927858272107   # 413.0 s: vm-read vm-16, asked at h2
413076 vm-read 1 20 0 3270054704400015100   # 413.0 s: vm-read vm-20, asked at h2
414659 vm-create 1 30 0 13813260100027125775   # 414.6 s: vm-create vm-30, asked at h2
419870 vm-start 0 37 0 10313323385793669281   # 419.8 s: vm-start vm-37, asked at h1
426577 vm-stop 2 2 0 4343800877983478052   # 426.5 s: vm-stop vm-2, asked at h3
434721 vm-label 0 20 0 4646219803504969187   # 434.7 s: vm-label vm-20, asked at h1
464590 cut 3 43 13200 9909960866404570987   # 464.5 s: cut on h4 for 13.2 s
483859 store-leader 4 4 0 16831526863779018199   # 483.8 s: store-leader on h5
488348 vm-read 0 4 0 18221585269969631947   # 488.3 s: vm-read vm-4, asked at h1
498484 vm-create 2 4 0 44075613032759364   # 498.4 s: vm-create vm-4, asked at h3
503666 vm-pause 2 0 0 2413654123894502086   # 503.6 s: vm-pause vm-0, asked at h3
509971 watchdog-pause 3 18 76 10477777271577083028   # 509.9 s: watchdog-pause on h4 for 0.0 s
510867 vm-create 1 27 0 1759094831296721273   # 510.8 s: vm-create vm-27, asked at h2
510913 vm-resize 0 44 0 5446872569897932991   # 510.9 s: vm-resize vm-44, asked at h1
512103 vm-create 4 2 0 12531402492502236011   # 512.1 s: vm-create vm-2, asked at h5
512530 vm-restart 4 5 0 350637142632771328   # 512.5 s: vm-restart vm-5, asked at h5
513968 daemon-kill 4 4 6268 796808138544667770   # 513.9 s: daemon-kill on h5 for 6.2 s
514434 vm-create 1 49 0 5969655677168010184   # 514.4 s: vm-create vm-49, asked at h2
514496 doubled 4 42 24828 16471501075753752317   # 514.4 s: doubled on h5 for 24.8 s
515039 vm-resize 1 42 0 11976405147132066950   # 515.0 s: vm-resize vm-42, asked at h2
515760 vm-delete 4 42 0 7974255982589943769   # 515.7 s: vm-delete vm-42, asked at h5
516504 vm-create 4 41 0 12467613476549674341   # 516.5 s: vm-create vm-41, asked at h5
532994 vm-read 0 41 0 15196350974340306381   # 532.9 s: vm-read vm-41, asked at h1
533016 compact 0 49 5972 9179477487203728939   # 533.0 s: compact on h1 for 5.9 s
533819 vm-resume 3 38 0 2114346534595351852   # 533.8 s: vm-resume vm-38, asked at h4
534688 vm-start 1 35 0 9999137613729363333   # 534.6 s: vm-start vm-35, asked at h2
535902 vm-start 1 35 0 488509207047126375   # 535.9 s: vm-start vm-35, asked at h2
536341 vm-delete 0 49 0 8703518630619809664   # 536.3 s: vm-delete vm-49, asked at h1
536600 daemon-kill 0 49 484 6583590032200064590   # 536.6 s: daemon-kill on h1 for 0.4 s
536993 node-cordon 0 19 0 8603933582650363317   # 536.9 s: node-cordon (host number 20), asked at h1
537074 vm-read 0 49 0 13472762128415544387   # 537.0 s: vm-read vm-49, asked at h1
537103 vm-start 4 49 0 5111003869310044568   # 537.1 s: vm-start vm-49, asked at h5
537260 vm-resize 0 49 0 11728902177599498474   # 537.2 s: vm-resize vm-49, asked at h1
537410 vm-restart 4 40 0 16694544891587180282   # 537.4 s: vm-restart vm-40, asked at h5
537951 vm-dies 0 49 0 2123633368400981300   # 537.9 s: vm-dies on h1
538479 vm-start 0 49 0 3872649402789429074   # 538.4 s: vm-start vm-49, asked at h1
539589 vm-create 0 49 0 2530839040272050250   # 539.5 s: vm-create vm-49, asked at h1
539598 vm-start 0 49 0 15725516976586492   # 539.5 s: vm-start vm-49, asked at h1
